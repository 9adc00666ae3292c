"""The feature store: the only door to feature values, and the only importer of Feast."""

from features.store.definitions import Service
from features.store.production import StoreSettings
from features.store.store import RISK_SERVICE, FeatureStore

__all__ = ["RISK_SERVICE", "FeatureStore", "Service", "StoreSettings"]
