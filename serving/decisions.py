"""What a school's team decided about a pupil on the list; any entry clears the row."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from features.errors import NotThere
from features.school_weeks import monday_of
from features.vocabulary import PupilKey
from serving.notes import note_problems
from serving.steps import DecisionKind, NoActionBecause, Outcome
from serving.tables import ACCOUNTS, DECISIONS, OUTCOMES, writing

FURTHEST_LOOK_BACK = timedelta(days=365)
SATURDAY = 5
LONGEST_OWNER = 100


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
        problems.append(
            DraftProblem("no_action_because", "Kies waarom het signaal niet relevant is.")
        )
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


def return_monday(look_back_on: date) -> date:
    """The Monday on whose list a pupil is back: that of the week; of the next after a week-end.

    >>> return_monday(date(2026, 12, 2)), return_monday(date(2026, 12, 5))
    (datetime.date(2026, 11, 30), datetime.date(2026, 12, 7))
    """
    is_weekend = look_back_on.weekday() >= SATURDAY
    return monday_of(look_back_on) + timedelta(weeks=1 if is_weekend else 0)


@dataclass(frozen=True)
class RowAddress:
    """A row one can decide on: on the published list, or beside it."""

    row_id: str
    school: str
    pupil_key: PupilKey
    as_of: date


@dataclass(frozen=True)
class Decision:
    """What was decided, by whom and when, about one pupil in one week; with how it went."""

    decision_id: str
    row_id: str
    school: str
    pupil_key: PupilKey
    as_of: date
    decided_by: str
    decided_at: datetime
    kind: DecisionKind
    no_action_because: NoActionBecause | None
    owner: str
    look_back_on: date | None
    note: str
    outcome: Outcome | None = None
    outcome_at: datetime | None = None

    @property
    def what(self) -> str:
        """The step in words, with the reason where the signal was not relevant."""
        because = self.no_action_because
        return f"{self.kind.label}: {because.label.lower()}" if because else self.kind.label


class Decisions:
    """Decisions in the app database: added, never changed; the newest of a row is its status."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def decide(
        self,
        row: RowAddress,
        draft: Draft,
        account_id: str,
        moment: datetime,
        decision_id: str = "",
    ) -> bool:
        """Keep a checked draft; False when `decision_id` was kept before (a form sent twice)."""
        values = {
            "decision_id": decision_id or secrets.token_hex(16),
            "row_id": row.row_id,
            "school": row.school,
            "pupil_key": row.pupil_key,
            "as_of": row.as_of,
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

    def record_outcome(
        self, decision_id: str, outcome: Outcome, account_id: str, moment: datetime
    ) -> None:
        """How it went with what was agreed; the newest outcome of a decision counts."""
        with writing(self._engine) as connection:
            connection.execute(
                OUTCOMES.insert(),
                {
                    "outcome_id": secrets.token_hex(16),
                    "decision_id": decision_id,
                    "account_id": account_id,
                    "recorded_at": moment,
                    "kind": outcome.value,
                },
            )

    def find(self, decision_id: str) -> Decision:
        """One decision by its id."""
        found = self._read(DECISIONS.c.decision_id == decision_id)
        if not found:
            raise NotThere("no decision has this id; open it from the pupil's page")
        return found[0]

    def of_school(self, school: str) -> dict[PupilKey, list[Decision]]:
        """All decisions about pupils of `school`, per pupil, newest first."""
        per_pupil: dict[PupilKey, list[Decision]] = {}
        for decision in self._read(DECISIONS.c.school == school):
            per_pupil.setdefault(decision.pupil_key, []).append(decision)
        return per_pupil

    def schools(self) -> frozenset[str]:
        """The schools at which anything was decided."""
        with self._engine.begin() as connection:
            return frozenset(connection.scalars(sa.select(DECISIONS.c.school).distinct()))

    def of_pupil(self, school: str, pupil_key: PupilKey) -> list[Decision]:
        """The decisions about one pupil at one school, newest first."""
        return self._read(DECISIONS.c.school == school, DECISIONS.c.pupil_key == pupil_key)

    def between(self, school: str, first: datetime, last: datetime) -> list[Decision]:
        """The decisions of `school` from `first` up to, not including, `last`, newest first."""
        return self._read(
            DECISIONS.c.school == school,
            DECISIONS.c.decided_at >= first,
            DECISIONS.c.decided_at < last,
        )

    def owners(self, school: str) -> list[str]:
        """Whom the team named before, most recent first: nobody types a name twice."""
        query = (
            sa.select(DECISIONS.c.owner)
            .where(DECISIONS.c.school == school, DECISIONS.c.owner != "")
            .group_by(DECISIONS.c.owner)
            .order_by(sa.func.max(DECISIONS.c.decided_at).desc())
            .limit(20)
        )
        with self._engine.begin() as connection:
            return list(connection.scalars(query))

    def help_given(self) -> list[tuple[PupilKey, datetime]]:
        """Who got help after a list, and when it was agreed: a mark for evaluations, no label."""
        helped = [kind.value for kind in DecisionKind if kind.is_help]
        query = (
            sa.select(DECISIONS.c.pupil_key, DECISIONS.c.decided_at)
            .where(DECISIONS.c.kind.in_(helped))
            .order_by(DECISIONS.c.decided_at, DECISIONS.c.decision_id)
        )
        with self._engine.begin() as connection:
            return [(PupilKey(key), at) for key, at in connection.execute(query)]

    def _read(self, *conditions: sa.ColumnElement[bool]) -> list[Decision]:
        query = (
            sa.select(DECISIONS, ACCOUNTS.c.name.label("decided_by"))
            .join_from(DECISIONS, ACCOUNTS)
            .where(*conditions)
            .order_by(DECISIONS.c.decided_at.desc(), DECISIONS.c.decision_id)
        )
        outcomes = (
            sa.select(OUTCOMES)
            .join_from(OUTCOMES, DECISIONS)
            .where(*conditions)
            .order_by(OUTCOMES.c.recorded_at)
        )
        with self._engine.begin() as connection:
            newest = {row.decision_id: row for row in connection.execute(outcomes)}
            return [
                _decision_from(row, newest.get(row.decision_id))
                for row in connection.execute(query)
            ]


def appointments(
    decisions: Mapping[PupilKey, Sequence[Decision]], as_of: date
) -> dict[PupilKey, Decision]:
    """Whom the team agreed to look back at by the week of Monday `as_of`, with that decision.

    The newest decision of an earlier week counts. A pupil comes back every Monday until a newer
    decision is made, so that no appointment gets lost in a holiday.
    """
    due = {}
    for key, of_pupil in decisions.items():
        earlier = next((one for one in of_pupil if one.as_of < as_of), None)
        if (
            earlier is not None
            and earlier.look_back_on is not None
            and earlier.kind is not DecisionKind.OBJECTION
            and return_monday(earlier.look_back_on) <= as_of
        ):
            due[key] = earlier
    return due


def _decision_from(row: sa.Row[Any], outcome: sa.Row[Any] | None) -> Decision:
    return Decision(
        decision_id=row.decision_id,
        row_id=row.row_id,
        school=row.school,
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
        outcome=Outcome(outcome.kind) if outcome else None,
        outcome_at=outcome.recorded_at if outcome else None,
    )
