"""What one person's data were used for: retrievals, and the models that learned from them."""

from collections.abc import Sequence

import sqlalchemy as sa

from features.governance.ledger import Ledger, LedgerRow
from features.governance.use import Action
from features.settings import Home
from features.vocabulary import PupilKey
from models.registry import Registry


def uses_of(ledger: sa.Engine, keys: Sequence[PupilKey]) -> list[LedgerRow]:
    """The uses of features that a person was in, under whichever pseudonym, newest first."""
    found = {row.number: row for key in keys for row in Ledger(ledger).about(key)}
    return [found[number] for number in sorted(found, reverse=True)]


def trained_on(home: Home, uses: Sequence[LedgerRow]) -> list[str]:
    """The registered model versions that learned from rows among these uses, in words."""
    runs = {row.run for row in uses if row.action is Action.TRAIN and row.run}
    if not runs or not home.mlflow.exists():
        return []
    return [
        f"versie {one.number}{', in gebruik' if one.aliases else ''}"
        for one in Registry.at(home).versions()
        if one.run_id in runs
    ]


def effect_of_retraining(home: Home, uses: Sequence[LedgerRow]) -> list[str]:
    """Per registered model that learned from this person: how many it learned from, in words."""
    pupils = {row.run: row.pupils for row in uses if row.action is Action.TRAIN and row.run}
    if not pupils or not home.mlflow.exists():
        return []
    return [
        f"versie {one.number}: deze leerling was 1 van {pupils[one.run_id]} leerlingen "
        f"({100 / pupils[one.run_id]:.2f} %)".replace(".", ",")
        for one in Registry.at(home).versions()
        if one.run_id in pupils
    ]
