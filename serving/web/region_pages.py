"""Regiobeeld: counts by month and school year, in a drawing and in a table of the same numbers."""

from collections.abc import Mapping, Sequence

from fastapi import APIRouter
from fastapi.responses import Response

from features.governance.disclosure import SMALLEST_SHOWN
from serving.access import Area
from serving.region import FLOWS, Period, RegionView
from serving.web.contexts.region import Bar, Chart, Mark, NowLine, PeriodLine, RegionPage
from serving.web.dutch import MONTHS, counted, full_day, listing
from serving.web.services import SignedIn, TheSite

router = APIRouter()

HIDDEN = "×"
COLUMNS = ("over_four_weeks", "over_three_months", "at_home", *FLOWS)
STACKED = (("over_three_months", "bar-very-long"), ("over_four_weeks", "bar-long"))
WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 900, 280, 44, 26, 14


@router.get("/regio")
def region(site: TheSite, session: SignedIn) -> Response:
    """The counts over the schools of one's own region."""
    view = site.region_desk.view(session.account, site.clock())
    page = RegionPage(
        frame=site.frame("Regiobeeld", session, Area.REGION),
        schools=counted(view.schools, "school", "scholen"),
        pupils=f"{view.pupils:,}".replace(",", "."),
        until=full_day(view.until) if view.until else "",
        now=_now(view),
        chart=chart(view.months) if view.months else None,
        months=tuple(_line(month, _month_name(month), COLUMNS) for month in reversed(view.months)),
        years=tuple(_line(year, year.name, FLOWS) for year in reversed(view.years)),
        is_too_small=view.is_too_small,
    )
    return site.render(page)


def shown(count: int | None) -> str:
    """A count ready to read; a hidden one is a cross, explained below the table.

    >>> shown(12), shown(0), shown(None)
    ('12', '0', '×')
    """
    return HIDDEN if count is None else str(count)


def _now(view: RegionView) -> tuple[NowLine, ...]:
    if not view.months:
        return ()
    counts = view.months[-1].counts
    return tuple(
        NowLine(label, _in_words(counts[what]), explanation)
        for what, label, explanation in (
            ("over_four_weeks", "Vier weken tot drie maanden", "nu niet op school"),
            ("over_three_months", "Drie maanden of langer", "nu niet op school"),
            ("began", "Nieuw deze maand", "twintigste schooldag bereikt"),
            ("returned", "Terug op school deze maand", "na vier weken of langer"),
        )
    )


def _in_words(count: int | None) -> str:
    return "verborgen" if count is None else str(count)


def _line(period: Period, name: str, columns: Sequence[str]) -> PeriodLine:
    return PeriodLine(name, tuple(shown(period.counts[what]) for what in columns))


def _month_name(month: Period) -> str:
    return f"{MONTHS[month.first.month - 1]} {month.first.year}"


def chart(months: Sequence[Period]) -> Chart:
    """Bars of who was at home at the end of each month; a hidden count is a cross, not a bar."""
    highest = max(sum(month.counts[what] or 0 for what, _style in STACKED) for month in months)
    top = max(SMALLEST_SHOWN, highest)
    scale = (HEIGHT - BOTTOM - TOP) / top
    slot = (WIDTH - LEFT) / len(months)
    base = HEIGHT - BOTTOM
    bars, hidden = [], []
    for number, month in enumerate(months):
        x, y = LEFT + number * slot, float(base)
        counts = [(month.counts[what], style) for what, style in STACKED]
        if any(count is None for count, _style in counts):
            hidden.append(Mark(round(x + slot / 2, 1), base - 6, HIDDEN))
            continue
        for count, style in counts:
            size = (count or 0) * scale
            y -= size
            if size:
                bars.append(_bar(x + slot * 0.15, y, slot * 0.7, size, style))
    return Chart(
        width=WIDTH,
        height=HEIGHT,
        title="Leerlingen die vier weken of langer niet op school zijn, per maand",
        summary=_summary(months),
        bars=tuple(bars),
        months=tuple(
            Mark(round(LEFT + (number + 0.5) * slot, 1), HEIGHT - 8, _short(month, number == 0))
            for number, month in enumerate(months)
        ),
        levels=tuple(
            Mark(LEFT - 6, round(base - level * scale, 1), str(level)) for level in _levels(top)
        ),
        hidden=tuple(hidden),
        base=base,
        left=LEFT,
    )


def _bar(x: float, y: float, width: float, height: float, style: str) -> Bar:
    return Bar(round(x, 1), round(y, 1), round(width, 1), round(height, 1), style)


def _levels(top: int) -> list[int]:
    """Three or four round numbers for the axis.

    >>> _levels(34), _levels(5)
    ([10, 20, 30], [2, 4])
    """
    step = next(size for size in (2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000) if top / size < 5)
    return list(range(step, top + 1, step))


def _short(month: Period, is_first: bool) -> str:
    letter = MONTHS[month.first.month - 1][:3]
    return f"{letter} {month.first.year % 100}" if is_first or month.first.month == 1 else letter


def _summary(months: Sequence[Period]) -> str:
    """The drawing in a sentence: the newest month, and the highest and lowest that are shown."""
    totals: Mapping[str, int] = {
        _month_name(month): total
        for month in months
        if (total := month.counts["at_home"]) is not None
    }
    parts = []
    newest = months[-1]
    parts.append(f"{_month_name(newest)}: {_in_words(newest.counts['at_home'])}")
    if totals:
        most, least = max(totals, key=totals.__getitem__), min(totals, key=totals.__getitem__)
        parts.append(f"het meest in {most} ({totals[most]})")
        parts.append(f"het minst in {least} ({totals[least]})")
    return f"Vier weken of langer niet op school. {listing(parts).capitalize()}."
