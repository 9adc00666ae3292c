"""Counts for the coordinator of a region: one definition, by month and school year, protected."""

import functools
import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from features.governance.disclosure import Relation, protect
from features.school_weeks import school_year_of
from serving.access import Area
from serving.accounts import Account
from serving.at_home import MonthCounts
from serving.premises import Premises
from serving.tables import MONTH_COUNTS

FLOWS = ("began", "returned", "left")
STOCKS = ("over_four_weeks", "over_three_months", "at_home")
FEWEST_SCHOOLS = 3
"""Counts of fewer schools would be about one school for whoever knows the others."""

Cell = tuple[str, str]
"""A period (a month or a school year) and what is counted in it."""


@dataclass(frozen=True)
class Period:
    """One month or school year of the region; None where a count is hidden.

    The stocks are those at the end of `until`. A school year holds flows only.
    """

    name: str
    first: date
    until: date
    counts: Mapping[str, int | None]


@dataclass(frozen=True)
class RegionView:
    """What the coordinator sees; no school and no pupil is told apart.

    `pupils` is how many had lessons in the newest month. `is_too_small`: fewer schools than may
    be shown together.
    """

    schools: int
    pupils: int
    until: date | None
    months: tuple[Period, ...]
    years: tuple[Period, ...]
    is_too_small: bool


def keep_months(connection: sa.Connection, school: str, months: Iterable[MonthCounts]) -> None:
    """The counts of a school as known now; later corrections of the past replace them."""
    rows = [{"school": school, **vars(month)} for month in months]
    if rows:
        kept_anew = MONTH_COUNTS.c.month.in_([row["month"] for row in rows])
        connection.execute(MONTH_COUNTS.delete().where(MONTH_COUNTS.c.school == school, kept_anew))
        connection.execute(MONTH_COUNTS.insert(), rows)


class RegionDesk:
    """The only way for a page to the counts of a region; asks for access and logs the look."""

    def __init__(self, premises: Premises) -> None:
        self._premises = premises

    def view(self, account: Account, moment: datetime) -> RegionView:
        """The counts over the schools of this account together."""
        self._premises.guard.area(account, Area.REGION, moment)
        months = self._months(account.schools)
        schools = {month.school for month in months}
        self._premises.write_down(account, "region_seen", moment, detail={"schools": len(schools)})
        if len(schools) < FEWEST_SCHOOLS:
            return RegionView(len(schools), 0, None, (), (), is_too_small=True)
        return region_view(tuple(months))

    def _months(self, schools: Iterable[str]) -> list["SchoolMonth"]:
        query = (
            sa.select(MONTH_COUNTS)
            .where(MONTH_COUNTS.c.school.in_(sorted(schools)))
            .order_by(MONTH_COUNTS.c.month, MONTH_COUNTS.c.school)
        )
        with self._premises.engine.begin() as connection:
            return [SchoolMonth(**row._mapping) for row in connection.execute(query)]


@dataclass(frozen=True)
class SchoolMonth(MonthCounts):
    """The counts of one month with the school they are of."""

    school: str


@functools.lru_cache(maxsize=8)
def region_view(months: tuple[SchoolMonth, ...]) -> RegionView:
    """The counts of several schools together, with what is small hidden."""
    names = sorted({month.month for month in months})
    last = {name: max(m.until for m in months if m.month == name) for name in names}
    counts = _counts(months)
    shown = protect(counts, _relations(names, counts))
    years = sorted({school_year_of(name) for name in names})
    newest = names[-1]
    return RegionView(
        schools=len({month.school for month in months}),
        pupils=sum(month.pupils for month in months if month.month == newest),
        until=last[newest],
        months=tuple(
            Period(
                name.isoformat(),
                name,
                last[name],
                {what: shown[name.isoformat(), what] for what in (*STOCKS, *FLOWS)},
            )
            for name in names
        ),
        years=tuple(
            Period(
                f"{year}-{year + 1}",
                min(name for name in names if school_year_of(name) == year),
                max(last[name] for name in names if school_year_of(name) == year),
                {what: shown[f"{year}", what] for what in FLOWS},
            )
            for year in years
        ),
        is_too_small=False,
    )


def _counts(months: Sequence[SchoolMonth]) -> dict[Cell, int]:
    counts: Counter[Cell] = Counter()
    for month in months:
        name, year = month.month.isoformat(), f"{school_year_of(month.month)}"
        for what in (*STOCKS[:2], *FLOWS):
            counts[name, what] += getattr(month, what)
        counts[name, "at_home"] += month.over_four_weeks + month.over_three_months
        for what in FLOWS:
            counts[year, what] += getattr(month, what)
    return dict(counts)


def _relations(names: Sequence[date], counts: Mapping[Cell, int]) -> list[Relation[Cell]]:
    """Every sum that a reader of the page can make."""
    relations: list[Relation[Cell]] = []
    keys = [name.isoformat() for name in names]
    for key in keys:
        relations.append(
            {(key, "at_home"): 1, (key, "over_four_weeks"): -1, (key, "over_three_months"): -1}
        )
    for before, key in itertools.pairwise(keys):
        relation = {
            (key, "at_home"): 1,
            (before, "at_home"): -1,
            (key, "began"): -1,
            (key, "returned"): 1,
            (key, "left"): 1,
        }
        # A correction that reached one month and not yet the other leaves no sum to make.
        if sum(number * counts[cell] for cell, number in relation.items()) == 0:
            relations.append(relation)
    for year in sorted({school_year_of(name) for name in names}):
        of_year = [name.isoformat() for name in names if school_year_of(name) == year]
        for what in FLOWS:
            relations.append({(f"{year}", what): 1} | {(key, what): -1 for key in of_year})
    return relations
