"""What was agreed between two dates: for the meeting of the care team, on paper and in a file."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from features.school_weeks import AMSTERDAM
from features.vocabulary import PupilKey
from serving.accounts import Account
from serving.beside import BesideStore
from serving.decisions import Decision, Decisions
from serving.identity import PupilName
from serving.lists import ListStore
from serving.premises import Premises

DESTROY_AFTER = timedelta(days=14)


@dataclass(frozen=True)
class Agreement:
    """One decision with the name and group of its pupil."""

    name: PupilName
    group: str
    decision: Decision


@dataclass(frozen=True)
class TeamView:
    """The agreements of one school from `first` to `last`, by pupil and then newest first."""

    school: str
    school_name: str
    first: date
    last: date
    made_by: str
    made_at: datetime
    agreements: tuple[Agreement, ...]

    @property
    def destroy_by(self) -> date:
        """Until when a copy may be kept."""
        return self.made_at.astimezone(AMSTERDAM).date() + DESTROY_AFTER


class TeamDesk:
    """The only way for a page or a file to the agreements of a school; logs every look."""

    def __init__(self, premises: Premises) -> None:
        self._premises = premises
        self._decisions = Decisions(premises.engine)
        self._lists = ListStore(premises.engine)
        self._beside = BesideStore(premises.engine)

    def view(
        self, account: Account, school: str, first: date, last: date, moment: datetime
    ) -> TeamView:
        """The agreements of these days, both included."""
        self._premises.enter(account, school, moment)
        return self._view(account, school, first, last, moment, "team_overview_seen", {})

    def export(
        self, account: Account, school: str, first: date, last: date, form: str, moment: datetime
    ) -> TeamView:
        """The same, to take out of the pages; a right of its own, and an event of its own."""
        self._premises.guard.export(account, school, moment)
        self._premises.enter(account, school, moment)
        detail = {"form": form, "columns": "leerling, groep, afspraak, wie, wanneer"}
        return self._view(account, school, first, last, moment, "exported", detail)

    def _view(
        self,
        account: Account,
        school: str,
        first: date,
        last: date,
        moment: datetime,
        event: str,
        detail: Mapping[str, str],
    ) -> TeamView:
        begin, end = _midnight(first), _midnight(last + timedelta(days=1))
        decisions = self._decisions.between(school, begin, end)
        keys = list(dict.fromkeys(decision.pupil_key for decision in decisions))
        days: dict[str, str | int] = {
            "first": first.isoformat(),
            "last": last.isoformat(),
            "rows": len(decisions),
        }
        names = self._premises.names.look(
            account, school, keys, moment, event, detail={**days, **detail}
        )
        groups = self._groups(school, keys)
        agreements = [
            Agreement(names[one.pupil_key], groups.get(one.pupil_key, ""), one) for one in decisions
        ]
        return TeamView(
            school=school,
            school_name=self._premises.school_name(school, moment),
            first=first,
            last=last,
            made_by=account.name,
            made_at=moment,
            agreements=tuple(sorted(agreements, key=lambda one: one.name.sort_key)),
        )

    def _groups(self, school: str, keys: list[PupilKey]) -> dict[PupilKey, str]:
        enrolled = self._beside.enrolled(school)
        if enrolled:
            return enrolled
        weeks = self._lists.weeks(school)
        rows = self._lists.get(school, weeks[0]).rows if weeks else ()
        return {row.pupil_key: row.group for row in rows if row.pupil_key in set(keys)}


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), AMSTERDAM)
