"""The line of headings: which form it fits, what is missing, and what may not come in."""

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from features.errors import DeliveryRefused
from features.ingest.blocked import blocked_heading
from features.ingest.forms import FileForm

TITLE_LINES = 15
"""Lines that may stand above the headings."""


@dataclass(frozen=True)
class Headings:
    """Which form a line of headings fits, and which of its headings stand in which column."""

    form: FileForm
    cells: tuple[str, ...]

    @property
    def missing(self) -> list[str]:
        """Required headings that are not there."""
        given = {_plain(cell) for cell in self.cells}
        return [heading for heading in self.form.required if _plain(heading) not in given]

    @property
    def places(self) -> dict[str, list[int]]:
        """For each field of the form, the columns with its heading."""
        names = {_plain(heading): name for heading, name in self.form.columns.items()}
        places: dict[str, list[int]] = {}
        for place, cell in enumerate(self.cells):
            if _plain(cell) in names:
                places.setdefault(names[_plain(cell)], []).append(place)
        return places

    @property
    def unknown(self) -> tuple[str, ...]:
        """Headings that the form does not know, as they may be repeated in a message."""
        return tuple(shown_heading(self.cells[place], place) for place in self.unplaced)

    @property
    def unplaced(self) -> tuple[int, ...]:
        """The columns whose heading the form does not know."""
        known = {_plain(heading) for heading in (*self.form.columns, *self.form.unused)}
        return tuple(
            place
            for place, cell in enumerate(self.cells)
            if cell.strip() and _plain(cell) not in known
        )


_LOOKS_LIKE_A_HEADING = r"[^\W\d_]+(?:[ _./()%-]+[^\W\d_]+)*[ _.)%]?\d{0,2}"
_LONGEST_HEADING = 40


def shown_heading(cell: str, place: int) -> str:
    """A heading as it may be repeated in a message: words only, else the number of its column.

    A line that lost its end can have a pupil's values among the headings.

    >>> shown_heading("Datum uitschrijving", 3), shown_heading("tijdvan2", 4)
    ('Datum uitschrijving', 'tijdvan2')
    >>> shown_heading("2016-03", 3)
    'column 4'
    """
    plain = cell.replace("\ufeff", "").strip()
    is_heading = len(plain) <= _LONGEST_HEADING and re.fullmatch(_LOOKS_LIKE_A_HEADING, plain)
    return plain if is_heading else f"column {place + 1}"


def fit_of(cells: Sequence[str], forms: Sequence[FileForm]) -> tuple[tuple[bool, int], Headings]:
    """How well the best form fits these cells: complete or not, number of headings known."""
    fits = []
    for form in forms:
        headings = Headings(form, tuple(cells))
        required = len(form.required)
        known = required - len(headings.missing)
        fits.append(
            ((known == required, len(headings.places) if known * 2 >= required else 0), headings)
        )
    return max(fits, key=lambda fit: fit[0])


def checked(name: str, cells: Sequence[str], forms: Sequence[FileForm]) -> Headings:
    """The headings of file `name`; raises `DeliveryRefused` with everything wrong with them."""
    (complete, known), headings = fit_of(cells, forms)
    if not known:
        expected = sorted({form.file for form in forms})
        raise DeliveryRefused(
            f"{name}: no line of headings found in the first {TITLE_LINES} lines. "
            f"Known are the headings of {', '.join(expected)}. "
            "`tijdig profile check FILE` says which profile is nearest."
        )
    problems = [
        f"{name}: column '{shown_heading(cell, place)}' holds a {kind}, which may not come in. "
        "Leave it out of the export."
        for place, cell in enumerate(cells)
        if (kind := blocked_heading(cell))
    ]
    if not complete:
        missing = ", ".join(f"'{heading}'" for heading in headings.missing)
        problems.append(
            f"{name}: missing {'column' if len(headings.missing) == 1 else 'columns'} {missing} "
            f"(read as {headings.form.file} of profile {headings.form.profile}). "
            "Add to the export, or put a profile of your own in profiles/ of the home folder; "
            "`tijdig profile check FILE` makes a start."
        )
    for field, places in headings.places.items():
        if len(places) > 1:
            problems.append(
                f"{name}: heading '{headings.form.heading(field)}' stands there "
                f"{len(places)} times. Keep one."
            )
    if problems:
        raise DeliveryRefused("\n".join(problems))
    return headings


@functools.lru_cache(maxsize=10_000)
def _plain(heading: str) -> str:
    return " ".join(heading.replace("\ufeff", "").strip().casefold().split())
