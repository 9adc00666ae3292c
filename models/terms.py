"""The terms of an experiment that travel with its model: who is scored, and how many are listed."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from models.bundle import Metadata
from models.capacity import Capacity
from models.cohort import Cohort

Setting = float | int | str | bool
ANEW: Mapping[str, Setting] = {"new_share": 1.0, "stay": 1.0}
"""Every list cut as if there were none before it."""


@dataclass(frozen=True)
class Terms:
    """What the weekly run must do alike, or the model is used on other pupils than measured.

    They stand among the bundle's `parameters` under dotted names, so that its hash covers them.

    >>> Terms(Cohort(in_view_days=10)).parameters()["cohort.in_view_days"]
    10
    """

    cohort: Cohort = field(default_factory=Cohort)
    capacity: Capacity = field(default_factory=Capacity)

    def parameters(self) -> dict[str, Setting]:
        """Each setting under its dotted name."""
        sections = {"cohort": asdict(self.cohort), "capacity": asdict(self.capacity)}
        return {
            f"{section}.{name}": value
            for section, values in sections.items()
            for name, value in values.items()
        }


def terms_of(metadata: Metadata) -> Terms:
    """The terms a model was measured under; what an older model does not state is the default.

    A model that states its capacity and nothing of the week before was measured on lists that were
    cut anew every week, and is used so.

    >>> old = {"capacity.share": 0.02, "capacity.floor": 3, "capacity.ceiling": 20}
    >>> terms_of(Metadata(parameters=old)).capacity
    Capacity(share=0.02, floor=3, ceiling=20, new_share=1.0, stay=1.0)
    >>> stated = Terms(capacity=Capacity(share=0.05, stay=2.0))
    >>> terms_of(Metadata(parameters=stated.parameters())) == stated
    True
    >>> terms_of(Metadata()) == Terms()
    True
    """
    capacity = _section("capacity", metadata.parameters)
    if capacity:
        capacity = {**ANEW, **capacity}
    return Terms(
        Cohort(**_section("cohort", metadata.parameters)),  # type: ignore[arg-type]
        Capacity(**capacity),  # type: ignore[arg-type]
    )


def _section(section: str, parameters: Mapping[str, Setting]) -> dict[str, Setting]:
    prefix = f"{section}."
    return {
        name.removeprefix(prefix): value
        for name, value in parameters.items()
        if name.startswith(prefix)
    }
