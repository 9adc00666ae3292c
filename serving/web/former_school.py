"""What an earlier school said of a pupil's absence, in sentences for the pupil page."""

from collections.abc import Iterator

from serving.facts import FormerSchool
from serving.web.dutch import counted, listing, long_day


def former_school(former: FormerSchool) -> tuple[str, ...]:
    """Sums over twelve months, and that they were not weighed; nothing where nothing was said.

    >>> from datetime import date
    >>> for line in former_school(FormerSchool(date(2026, 7, 31), 12, 1, 2430, None, 7, True)):
    ...     print(line)
    Op een eerdere school, in de twaalf maanden tot en met 31 juli 2026: 12 dagdelen en 40,5 uur \
geoorloofd afwezig; 1 dagdeel ongeoorloofd afwezig; 7 keer afwezig. Dat is niet meegewogen.
    Volgens die school was dat meer dan een kwart van de lessen.
    """
    said = list(_sums(former))
    if not said:
        return ()
    period = f"in de twaalf maanden tot en met {long_day(former.until)}"
    lines = [f"Op een eerdere school, {period}: {'; '.join(said)}. Dat is niet meegewogen."]
    if former.over_a_quarter:
        lines.append("Volgens die school was dat meer dan een kwart van de lessen.")
    return tuple(lines)


def _sums(former: FormerSchool) -> Iterator[str]:
    authorised = _amount(former.half_days_authorised, former.minutes_authorised)
    unauthorised = _amount(former.half_days_unauthorised, former.minutes_unauthorised)
    if authorised:
        yield f"{authorised} geoorloofd afwezig"
    if unauthorised:
        yield f"{unauthorised} ongeoorloofd afwezig"
    if former.times is not None:
        yield f"{former.times} keer afwezig"


def _amount(half_days: int | None, minutes: int | None) -> str:
    parts = []
    if half_days is not None:
        parts.append(counted(half_days, "dagdeel", "dagdelen"))
    if minutes is not None:
        hours = f"{minutes / 60:.1f}".removesuffix(".0").replace(".", ",")
        parts.append(f"{hours} uur")
    return listing(parts)
