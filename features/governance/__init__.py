"""Who may use which feature for what, and the record of every use."""

from features.governance.database import open_ledger

__all__ = ["open_ledger"]
