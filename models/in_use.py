"""Is the model that MLflow calls the champion the one that came into use through the gate?

MLflow's alias can be moved by anybody who reaches its database. What the weekly run follows is the
audit chain, in which only `training.promote` writes that a model came into use.
"""

from features.errors import VerificationFailed
from features.governance.audit import AuditChain
from models.stored import RiskModel

PROMOTED, REFUSED = "model_promoted", "model_promotion_refused"
TRIED_OUT, ROLLED_BACK = "model_tried_out", "model_rolled_back"


def check_in_use(chain: AuditChain, version: int, model: RiskModel) -> None:
    """Raise `VerificationFailed` unless the chain says last that this very model came into use."""
    rows = [row for event in (PROMOTED, TRIED_OUT, ROLLED_BACK) for row in chain.rows(event=event)]
    last = max(rows, key=lambda row: row.sequence, default=None)
    found = None if last is None else (int(last.detail["version"]), str(last.detail["bundle"]))
    if found != (version, model.content_hash):
        was = "no model" if last is None else f"version {last.detail['version']}"
        raise VerificationFailed(
            f"MLflow calls version {version} the champion; by the audit chain {was} came into use: "
            "nothing is published. Promote a version (tijdig promote) or go back (tijdig promote "
            "--rollback)"
        )
