"""Pieces of absence: one pupil, one day, some half-days or lessons, one kind; and who is where."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.synthetic.proneness import Proneness
from features.synthetic.pupils import Groups, Pupils
from features.synthetic.region import Flags, Floats, Ints
from features.synthetic.risk_process import Paths
from features.synthetic.schools import PO_SLOTS, VO_SLOTS, School, SchoolTime
from features.vocabulary import ABSENT_KINDS, AbsenceKind, Sector

KINDS = tuple(AbsenceKind)
KIND_NUMBER = {kind: position for position, kind in enumerate(KINDS)}
COUNTS_AS_ABSENT = np.array([kind in ABSENT_KINDS for kind in KINDS])


@dataclass(frozen=True)
class Scene:
    """Everything about one school that absence is drawn from.

    `slots[pupil, day]` are planned half-days or lessons; `state[pupil, day]` the latent state.
    """

    school: School
    time: SchoolTime
    pupils: Pupils
    groups: Groups
    proneness: Proneness
    paths: Paths
    slots: NDArray[np.int8]
    state: NDArray[np.int8]

    @property
    def shape(self) -> tuple[int, int]:
        return self.slots.shape[0], self.slots.shape[1]

    @property
    def year(self) -> Ints:
        """The position of each day's school year in the history."""
        year: Ints = self.time.school_year - self.groups.years[0]
        return year


@dataclass(frozen=True)
class Pieces:
    """Columns of equal length; `first` to `last` (included) are slots counted from zero.

    Pieces of one illness, holiday or run share a `spell`; `in_run` marks prolonged absence.
    """

    pupil: Ints
    day: Ints
    first: Ints
    last: Ints
    kind: Ints
    spell: Ints
    in_run: Flags

    def __len__(self) -> int:
        return len(self.pupil)

    def where(self, chosen: Flags | Ints) -> "Pieces":
        """The chosen rows."""
        return Pieces(*(column[chosen] for column in self.columns()))

    def columns(self) -> tuple[NDArray[Any], ...]:
        """The columns in order of declaration."""
        return (self.pupil, self.day, self.first, self.last, self.kind, self.spell, self.in_run)


def join(parts: Sequence[Pieces]) -> Pieces:
    """All rows of `parts`; spells of different parts stay different."""
    columns = [np.concatenate(column) for column in zip(*(p.columns() for p in parts), strict=True)]
    offsets = np.cumsum([0] + [int(p.spell.max(initial=-1)) + 1 for p in parts[:-1]])
    columns[5] = columns[5] + np.repeat(offsets, [len(p) for p in parts])
    return Pieces(*columns)


def make_pieces(
    scene: Scene,
    pupil: Ints,
    day: Ints,
    kind: AbsenceKind | Ints,
    first: Ints | int = 0,
    last: Ints | int = 99,
    spell: Ints | None = None,
) -> Pieces:
    """Pieces within the planned slots; days without planned time are left out."""
    planned = scene.slots[pupil, day].astype(np.int64)
    end = np.minimum(last, planned - 1)
    number = KIND_NUMBER[kind] if isinstance(kind, AbsenceKind) else kind
    pieces = Pieces(
        pupil=pupil,
        day=day,
        first=np.minimum(np.broadcast_to(first, pupil.shape), np.maximum(end, 0)),
        last=end,
        kind=np.broadcast_to(np.asarray(number, dtype=np.int64), pupil.shape),
        spell=np.arange(len(pupil)) if spell is None else spell,
        in_run=np.zeros(len(pupil), dtype=bool),
    )
    return pieces.where(planned > 0)


def without_overlap(parts: Sequence[Pieces], shape: tuple[int, int]) -> list[Pieces]:
    """Earlier parts win a day; within a part the earlier row does."""
    taken = np.zeros(shape, dtype=bool)
    result = []
    for part in parts:
        free = part.where(~taken[part.pupil, part.day])
        _, rows = np.unique(free.pupil * shape[1] + free.day, return_index=True)
        kept = free.where(rows)
        taken[kept.pupil, kept.day] = True
        result.append(kept)
    return result


def slot_minutes(sector: Sector) -> Floats:
    """Planned minutes of each slot of a day."""
    slots = PO_SLOTS if sector is Sector.PO else VO_SLOTS
    return np.array([end - begin for begin, end in slots], dtype=np.float64)


def absent_share(scene: Scene, pieces: Pieces) -> Floats:
    """`[pupil, day]`: share of planned minutes absent (0 where nothing is planned)."""
    upto = np.concatenate([[0.0], np.cumsum(slot_minutes(scene.school.sector))])
    minutes = np.zeros(scene.shape)
    absent = COUNTS_AS_ABSENT[pieces.kind]
    np.add.at(
        minutes,
        (pieces.pupil[absent], pieces.day[absent]),
        (upto[pieces.last + 1] - upto[pieces.first])[absent],
    )
    planned = upto[scene.slots]
    share: Floats = np.divide(minutes, planned, out=np.zeros(scene.shape), where=planned > 0)
    return share
