"""What the model loses without each theme and feature, as measured, beside how sensitive it is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from features.catalogue import CATALOGUE, Feature, feature
from features.errors import TijdigError
from features.governance.contracts import FeatureContract, Sensitivity
from features.settings import Home
from features.vocabulary import Theme
from models.proportionality import Estimate, Proportionality, Verdict, read
from models.registry import Registry
from serving.models_in_use import ModelsInUse

_ORDER = tuple(reversed(Sensitivity))
_FIRST_LOOKED_AT = (
    Verdict.BETTER_WITHOUT,
    Verdict.SPARE,
    Verdict.NOT_SHOWN_NEEDED,
    Verdict.NOT_MEASURED,
    Verdict.NEEDED,
)


@dataclass(frozen=True)
class Weighed:
    """What is lost without one theme or feature, beside what it tells about a pupil.

    `features` and `health` count what is left out; `sensitivity` is the highest among it.
    """

    name: str
    label: str
    features: int
    health: int
    sensitivity: Sensitivity | None
    recall: Estimate
    lead: Estimate
    verdict: Verdict


@dataclass(frozen=True)
class SmallestSet:
    """The smallest set that was found sufficient; `kept` and `left_out` are labels."""

    kept: tuple[str, ...]
    left_out: tuple[str, ...]
    health_left_out: int
    recall: Estimate
    lead: Estimate
    verdict: Verdict


@dataclass(frozen=True)
class Proportionate:
    """The measured table, in the order in which an officer looks at it.

    First what can be missed and tells most about a pupil. `in_use`: it is of the model in use.
    """

    model_version: int
    in_use: bool
    made_at: str
    tested_on: str
    margin: float
    same_model: bool
    recall: Estimate
    lead: Estimate
    themes: tuple[Weighed, ...]
    features: tuple[Weighed, ...]
    smallest: SmallestSet | None


class Proportionalities:
    """Reads the table of the model in use, or else of the newest version that has one."""

    def __init__(self, home: Home, models: ModelsInUse) -> None:
        self._home = home
        self._models = models

    def newest(self, contracts: Mapping[str, FeatureContract]) -> Proportionate | None:
        """The table with the sensitivity of `contracts` beside it; None while none was measured."""
        for version, run_id, in_use in self._in_order():
            try:
                found = read(Registry.at(self._home), run_id)
            except TijdigError:
                continue  # a damaged table is none; measuring again mends it
            if found is not None and found.model_version == version:
                return _beside(found, contracts, in_use=in_use)
        return None

    def _in_order(self) -> Iterable[tuple[int, str, bool]]:
        known = self._models.all()
        for one in sorted(known, key=lambda one: (not one.in_use, -one.version)):
            yield one.version, one.run_id, one.in_use


def _beside(
    found: Proportionality, contracts: Mapping[str, FeatureContract], *, in_use: bool
) -> Proportionate:
    weighed = {
        kind: tuple(
            sorted(
                (
                    _weighed(one.name, one.features, contracts, one.recall_difference,
                             one.lead_difference_weeks, one.verdict)
                    for one in found.without
                    if one.kind == kind
                ),
                key=_place,
            )
        )
        for kind in ("theme", "feature")
    }  # fmt: skip
    return Proportionate(
        model_version=found.model_version,
        in_use=in_use,
        made_at=found.made_at,
        tested_on=found.tested_on,
        margin=found.margin,
        same_model=found.same_model,
        recall=found.reference.get("recall", Estimate()),
        lead=found.reference.get("mean_lead", Estimate()),
        themes=weighed["theme"],
        features=weighed["feature"],
        smallest=_smallest(found),
    )


def _weighed(
    name: str,
    left_out: tuple[str, ...],
    contracts: Mapping[str, FeatureContract],
    recall: Estimate,
    lead: Estimate,
    verdict: Verdict,
) -> Weighed:
    members = _known(left_out)
    levels = [contracts[one.name].sensitivity for one in members if one.name in contracts]
    return Weighed(
        name=name,
        label=_label(name),
        features=len(left_out),
        health=sum(one.health for one in members),
        sensitivity=min(levels, key=_ORDER.index) if levels else None,
        recall=recall,
        lead=lead,
        verdict=verdict,
    )


def _place(one: Weighed) -> tuple[int, int, str]:
    level = len(_ORDER) if one.sensitivity is None else _ORDER.index(one.sensitivity)
    return _FIRST_LOOKED_AT.index(one.verdict), level, one.label


def _smallest(found: Proportionality) -> SmallestSet | None:
    smallest = found.smallest_sufficient
    if smallest is None:
        return None
    return SmallestSet(
        kept=tuple(map(_label, smallest.features)),
        left_out=tuple(map(_label, smallest.left_out)),
        health_left_out=sum(one.health for one in _known(smallest.left_out)),
        recall=smallest.recall_difference,
        lead=smallest.lead_difference_weeks,
        verdict=smallest.verdict,
    )


def _known(names: Iterable[str]) -> list[Feature]:
    there = {one.name for one in CATALOGUE}
    return [feature(name) for name in names if name in there]


def _label(name: str) -> str:
    """The Dutch words for a theme or a feature; its own name where there are none.

    >>> _label("support"), _label("sent_out_12w"), _label("gone")
    ('Ondersteuning', 'Keer uit de les gestuurd, de laatste 12 schoolweken', 'gone')
    """
    themes = {theme.value: theme.label for theme in Theme}
    found = _known([name])
    return found[0].label_nl if found else themes.get(name, name)


__all__ = ["Estimate", "Proportionalities", "Proportionate", "SmallestSet", "Verdict", "Weighed"]
