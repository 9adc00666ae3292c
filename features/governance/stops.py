"""The emergency stop: no list is made or shown, for one school or for all, until it is lifted."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from features.errors import NotAllowed
from features.governance.database import as_text, stop_events, writing
from features.governance.seals import SealedTable
from features.vocabulary import Role

EVERYWHERE = "*"
STOPPED, LIFTED = "lists_stopped", "lists_resumed"
MAY_STOP = frozenset({Role.PRIVACY_OFFICER})


@dataclass(frozen=True)
class Stop:
    """A stop that stands: for `school` (or EVERYWHERE), since when, by whom and why."""

    school: str
    since: datetime
    actor: str
    reason: str


class EmergencyStops:
    """Stop the lists and lift the stop; each sealed in the audit chain."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sealed = SealedTable(engine, stop_events, "stop", frozenset({STOPPED, LIFTED}))

    def stop(self, school: str, reason: str, actor: str, role: Role, moment: datetime) -> None:
        """Stop the lists of `school` (or EVERYWHERE) from now on; a reason is needed."""
        self._add(school, STOPPED, reason, actor, role, moment)

    def lift(self, school: str, reason: str, actor: str, role: Role, moment: datetime) -> None:
        """Let the lists of `school` (or EVERYWHERE) go on; does not lift a wider stop."""
        self._add(school, LIFTED, reason, actor, role, moment)

    def standing(self, before: datetime | None = None) -> dict[str, Stop]:
        """The stops in force (or that were just `before` a moment), by school."""
        found: dict[str, Stop] = {}
        for row in self._sealed.sealed_rows():
            if before is not None and row["moment"] >= as_text(before):
                break
            if row["event"] == LIFTED:
                found.pop(row["school"], None)
            else:
                since = datetime.fromisoformat(row["moment"])
                found[row["school"]] = Stop(row["school"], since, row["actor"], row["reason"])
        return found

    def of(self, school: str) -> Stop | None:
        """The stop that holds for `school`, its own or the one for all; None: lists go on."""
        standing = self.standing()
        return standing.get(EVERYWHERE) or standing.get(school)

    def verify(self) -> tuple[str, ...]:
        """What is wrong with the stored stops."""
        return self._sealed.verify()

    def _add(
        self, school: str, event: str, reason: str, actor: str, role: Role, moment: datetime
    ) -> None:
        if role not in MAY_STOP:
            raise NotAllowed(f"role {role} may not stop or resume lists")
        if not reason.strip():
            raise NotAllowed("a stop needs its reason; nothing was changed")
        row = {
            "moment": as_text(moment),
            "school": school,
            "event": event,
            "actor": actor,
            "role": role.value,
            "reason": reason.strip(),
        }
        with writing(self._engine) as connection:
            self._sealed.insert(connection, event, moment, actor, role, row, school=school)
        self._sealed.chain.witness(moment)
