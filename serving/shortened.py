"""A published list whose predecessors had their term: what can still be checked of it, and how."""

from dataclasses import replace
from datetime import date, timedelta

import sqlalchemy as sa

from features.governance.retention import due_before
from features.school_weeks import AMSTERDAM, school_year_of
from serving.earlier_lists import EarlierLists
from serving.lists import ListStore, Newness, PublishedList
from serving.retention import Proofs, Run


def without_predecessors(
    lists: ListStore, ledger: sa.Engine, stored: PublishedList, made: PublishedList
) -> str | None:
    """What to say when `made` differs from `stored` because earlier lists are gone; else None.

    Earlier lists decide who is new, back or again, and the last one of the same school year which
    names stay. When retention took lists out after this one was published, being new can no longer
    be compared. All the rest still must be the same, unless that last one is among what went.
    """
    runs = [
        run
        for run in Proofs(ledger).all()
        if run.moment > stored.published_at and run.removed.get("lists", 0)
    ]
    if not runs:
        return None
    told = (
        f"{stored.school} {stored.as_of}: lists before it had their term and were taken out, the "
        f"last on {max(run.moment for run in runs):%Y-%m-%d}"
    )
    if _without_newness(made) == _without_newness(stored):
        return f"{told}; made again from the records, identical but for who is new"
    year, cut = school_year_of(stored.as_of), max(map(_taken_before, runs))
    earlier = EarlierLists(lists.engine, stored.as_of, stored.school)
    is_first_left = stored.school not in earlier.counting()
    if is_first_left and school_year_of(cut - timedelta(days=1)) == year:
        return f"{told}; it can lawfully not be made again, and stands as sealed"
    return None


def _taken_before(run: Run) -> date:
    return due_before(run.terms["lists"], run.moment.astimezone(AMSTERDAM).date())


def _without_newness(one: PublishedList) -> str:
    """The seal that a list would have if everybody on it were new."""
    rows = tuple(replace(row, newness=Newness.NEW) for row in one.rows)
    return replace(one, rows=rows).content_hash
