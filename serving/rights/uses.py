"""What one person's data were used for: retrievals, and the models that learned from them."""

from collections.abc import Sequence

import sqlalchemy as sa

from features.governance.ledger import Ledger, LedgerRow
from features.governance.use import Action
from features.settings import Home
from features.vocabulary import PupilKey
from models.registry import RegisteredVersion, Registry


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


def effect_of_retraining(
    home: Home, ledger: sa.Engine, uses: Sequence[LedgerRow]
) -> list[tuple[str, str]]:
    """Per registered model that learned from this person: its share of it, and how to measure more.

    The share is that of the different pupils of the training. What lists lose or gain without one
    pupil is not told by a share: it is measured, by fitting the same experiment again (the pupil is
    no longer in the rows) and comparing the two versions on the same rows.
    """
    runs = {row.run for row in uses if row.action is Action.TRAIN and row.run}
    if not runs or not home.mlflow.exists():
        return []
    registry = Registry.at(home)
    found = []
    for one in registry.versions():
        if one.run_id in runs:
            pupils = Ledger(ledger).pupils_in(one.run_id, Action.TRAIN)
            share = (
                f"versie {one.number}: deze leerling was 1 van {pupils} leerlingen van die training"
                f" ({100 / pupils:.2f} %).".replace(".", ",", 1)
            )
            found.append((share, _how_to_measure(registry, one)))
    return found


def _how_to_measure(registry: Registry, version: RegisteredVersion) -> str:
    return (
        f"Meten voor versie {version.number}: train het experiment "
        f"“{registry.experiment_of(version.run_id)}” opnieuw (tijdig train experiment.toml; dat "
        f"bestand staat in MLflow bij run {version.run_id}) en vergelijk versie {version.number} "
        f"met de nieuwe versie (tijdig compare {version.number} latest)."
    )
