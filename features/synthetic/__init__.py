"""An invented region with a known risk process: deliveries as schools send them, truth apart."""

from features.synthetic.simulation import simulate

__all__ = ["simulate"]
