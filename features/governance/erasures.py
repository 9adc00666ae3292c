"""What was erased on request: when, at which school, how much; and which lists it touched."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Engine

from features.governance.database import as_text, canonical, erasures, writing
from features.governance.seals import SealedTable
from features.vocabulary import Role

ERASED = "pupil_erased"


@dataclass(frozen=True)
class Erasure:
    """One erasure; who it was is not kept. `removed` counts rows per store.

    `lists` holds, per Monday, the fingerprint of the list before and after the row was taken out.
    """

    moment: datetime
    school: str
    removed: Mapping[str, int]
    lists: Mapping[date, tuple[str, str]]


class Erasures:
    """The erasures of this installation, each sealed in the audit chain."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sealed = SealedTable(engine, erasures, "erasure", frozenset({ERASED}))

    def keep(self, erasure: Erasure, actor: str, role: Role) -> None:
        """Write down that it was done."""
        row = {
            "moment": as_text(erasure.moment),
            "school": erasure.school,
            "removed": canonical(dict(erasure.removed)),
            "lists": canonical(
                {day.isoformat(): list(hashes) for day, hashes in erasure.lists.items()}
            ),
        }
        with writing(self._engine) as connection:
            self._sealed.insert(
                connection, ERASED, erasure.moment, actor, role, row, school=erasure.school
            )
        self._sealed.chain.witness(erasure.moment)

    def of(self, school: str, after: datetime | None = None) -> list[Erasure]:
        """The erasures at `school`, oldest first; those later than `after` when given."""
        found = [
            Erasure(
                moment=datetime.fromisoformat(row["moment"]),
                school=row["school"],
                removed=json.loads(row["removed"]),
                lists={
                    date.fromisoformat(day): (before, now)
                    for day, (before, now) in json.loads(row["lists"]).items()
                },
            )
            for row in self._sealed.sealed_rows()
            if row["school"] == school
        ]
        return [one for one in found if after is None or one.moment > after]

    def verify(self) -> tuple[str, ...]:
        """What is wrong with the stored erasures."""
        return self._sealed.verify()
