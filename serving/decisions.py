"""What a school's team decided about a pupil on the list; any entry clears the row."""

import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from features.vocabulary import PupilKey
from serving.notes import note_problems
from serving.tables import ACCOUNTS, DECISIONS, LIST_ROWS, LISTS, writing

FURTHEST_LOOK_BACK = timedelta(days=365)
LONGEST_OWNER = 100


class DecisionKind(StrEnum):
    """The next step, from checking the registration to leaving it at that."""

    REGISTRATION_WRONG = "registration_wrong"
    ALREADY_IN_VIEW = "already_in_view"
    PLAN_TALK = "plan_talk"
    SUPPORT_TEAM = "support_team"
    SCHOOL_DOCTOR = "school_doctor"
    ATTENDANCE_OFFICER = "attendance_officer"
    FOLLOW_UNTIL = "follow_until"
    NO_ACTION = "no_action"
    OBJECTION = "objection"

    @property
    def label(self) -> str:
        """The Dutch words on the form.

        >>> DecisionKind.PLAN_TALK.label
        'Gesprek plannen met leerling en ouders'
        """
        return _KIND_LABELS[self]


_KIND_LABELS = {
    DecisionKind.REGISTRATION_WRONG: "Registratie klopt niet",
    DecisionKind.ALREADY_IN_VIEW: "Al in beeld en begeleid",
    DecisionKind.PLAN_TALK: "Gesprek plannen met leerling en ouders",
    DecisionKind.SUPPORT_TEAM: "Inbrengen in het ondersteuningsteam",
    DecisionKind.SCHOOL_DOCTOR: "Jeugdarts vragen (M@ZL)",
    DecisionKind.ATTENDANCE_OFFICER: "Overleg met leerplicht",
    DecisionKind.FOLLOW_UNTIL: "Volgen tot een datum",
    DecisionKind.NO_ACTION: "Geen actie",
    DecisionKind.OBJECTION: "Niet tonen: er is bezwaar gemaakt",
}


class NoActionBecause(StrEnum):
    """Why nothing is needed; asked for when the step is `no_action`."""

    EXPLAINED = "explained"
    NO_CONCERN_AFTER_TALK = "no_concern_after_talk"
    OTHER = "other"

    @property
    def label(self) -> str:
        """The Dutch words on the form."""
        return _BECAUSE_LABELS[self]


_BECAUSE_LABELS = {
    NoActionBecause.EXPLAINED: "De afwezigheid is verklaarbaar",
    NoActionBecause.NO_CONCERN_AFTER_TALK: "Na een gesprek geen zorg",
    NoActionBecause.OTHER: "Anders (zie aantekening)",
}


@dataclass(frozen=True)
class Draft:
    """A decision as typed into the form, before any check; nothing of it gets lost."""

    kind: str = ""
    no_action_because: str = ""
    owner: str = ""
    look_back_on: str = ""
    note: str = ""


@dataclass(frozen=True)
class DraftProblem:
    """What is wrong with one field of a draft, in Dutch for the page."""

    field: str
    message: str


def check(draft: Draft, today: date) -> tuple[DraftProblem, ...]:
    """Everything that is wrong with `draft`, in the order of the form.

    >>> [problem.field for problem in check(Draft(kind="follow_until"), date(2026, 11, 16))]
    ['look_back_on']
    """
    problems = []
    if draft.kind not in {kind.value for kind in DecisionKind}:
        problems.append(DraftProblem("kind", "Kies wat u besluit."))
    because = {because.value for because in NoActionBecause}
    if draft.kind == DecisionKind.NO_ACTION and draft.no_action_because not in because:
        problems.append(DraftProblem("no_action_because", "Kies waarom er geen actie nodig is."))
    if len(draft.owner) > LONGEST_OWNER or note_problems(draft.owner):
        problems.append(DraftProblem("owner", "Vul hier alleen een naam of functie in."))
    if message := _look_back_problem(draft, today):
        problems.append(DraftProblem("look_back_on", message))
    problems += [DraftProblem("note", message) for message in note_problems(draft.note)]
    return tuple(problems)


def _look_back_problem(draft: Draft, today: date) -> str:
    if not draft.look_back_on:
        must = draft.kind == DecisionKind.FOLLOW_UNTIL
        return "Vul in tot welke datum u de leerling volgt." if must else ""
    try:
        day = date.fromisoformat(draft.look_back_on)
    except ValueError:
        return "Dit is geen datum. Schrijf bijvoorbeeld 2026-11-30."
    if day <= today:
        return "Kies een datum die nog moet komen."
    if day > today + FURTHEST_LOOK_BACK:
        return "Kies een datum binnen een jaar."
    return ""


@dataclass(frozen=True)
class Decision:
    """What was decided, by whom and when, about one pupil on one list."""

    row_id: str
    pupil_key: PupilKey
    as_of: date
    decided_by: str
    decided_at: datetime
    kind: DecisionKind
    no_action_because: NoActionBecause | None
    owner: str
    look_back_on: date | None
    note: str


class Decisions:
    """Decisions in the app database: added, never changed; the newest of a row is its status."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def decide(
        self, row_id: str, draft: Draft, account_id: str, moment: datetime, decision_id: str = ""
    ) -> bool:
        """Keep a checked draft; False when `decision_id` was kept before (a form sent twice)."""
        values = {
            "decision_id": decision_id or secrets.token_hex(16),
            "row_id": row_id,
            "account_id": account_id,
            "decided_at": moment,
            "kind": DecisionKind(draft.kind).value,
            "no_action_because": (
                draft.no_action_because if draft.kind == DecisionKind.NO_ACTION else ""
            ),
            "owner": draft.owner,
            "look_back_on": date.fromisoformat(draft.look_back_on) if draft.look_back_on else None,
            "note": draft.note,
        }
        with writing(self._engine) as connection:
            known = connection.scalar(
                sa.select(DECISIONS.c.decision_id).where(
                    DECISIONS.c.decision_id == values["decision_id"]
                )
            )
            if known is None:
                connection.execute(DECISIONS.insert(), values)
        return known is None

    def of_school(self, school: str) -> dict[PupilKey, list[Decision]]:
        """All decisions about pupils of `school`, per pupil, newest first."""
        query = (
            sa.select(
                DECISIONS,
                LIST_ROWS.c.pupil_key,
                LISTS.c.as_of,
                ACCOUNTS.c.name.label("decided_by"),
            )
            .join_from(DECISIONS, LIST_ROWS)
            .join(LISTS)
            .join(ACCOUNTS, ACCOUNTS.c.account_id == DECISIONS.c.account_id)
            .where(LISTS.c.school == school)
            .order_by(DECISIONS.c.decided_at.desc(), DECISIONS.c.decision_id)
        )
        per_pupil: dict[PupilKey, list[Decision]] = {}
        with self._engine.begin() as connection:
            for row in connection.execute(query):
                decision = _decision_from(row)
                per_pupil.setdefault(decision.pupil_key, []).append(decision)
        return per_pupil

    def objections(self, school: str, before: datetime) -> frozenset[PupilKey]:
        """Pupils whose newest decision `before` a moment is an objection: not read, not listed."""
        newest = {
            key: next((one for one in decisions if one.decided_at < before), None)
            for key, decisions in self.of_school(school).items()
        }
        return frozenset(
            key for key, one in newest.items() if one and one.kind == DecisionKind.OBJECTION
        )


def _decision_from(row: sa.Row[Any]) -> Decision:
    return Decision(
        row_id=row.row_id,
        pupil_key=PupilKey(row.pupil_key),
        as_of=row.as_of,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        kind=DecisionKind(row.kind),
        no_action_because=(
            NoActionBecause(row.no_action_because) if row.no_action_because else None
        ),
        owner=row.owner,
        look_back_on=row.look_back_on,
        note=row.note,
    )
