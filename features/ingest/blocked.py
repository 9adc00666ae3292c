"""What may not come in at all: columns that are refused by their heading or by their values."""

import re

import numpy as np
import polars as pl

_HEADINGS = {
    "citizen service number (BSN)": (
        r"bsn|\bpgn\b|burgerservice|sofi|onderwijsnummer|persoonsgebonden"
    ),
    "postcode": r"postcode|postal|\bzip\b",
    "ethnicity or origin": r"etni|ethni|nationalit|geboorteland|herkomst|\bland (vader|moeder)\b",
    "diagnosis": r"diagnos",
    "medication": r"medicijn|medicat|medicin|medicament",
    "religion": r"religi|geloof|godsdienst|levensovertuig",
}
_SAMPLE = 5_000
_SUSPECT_SHARE = 0.01
_ENOUGH = 3
"""Passing values that differ; fewer can be chance, since one in eleven numbers passes."""


def blocked_heading(heading: str) -> str | None:
    """What kind of blocked column `heading` names; None for an allowed one.

    >>> blocked_heading("BSN_leerling"), blocked_heading("Postcode"), blocked_heading("Groep")
    ('citizen service number (BSN)', 'postcode', None)
    """
    plain = re.sub(r"[^a-z]+", " ", heading.casefold())
    return next((kind for kind, words in _HEADINGS.items() if re.search(words, plain)), None)


def columns_with_citizen_numbers(frame: pl.DataFrame) -> list[str]:
    """The columns of which most values are 9-digit numbers that pass the eleven-proof.

    Leading zeros may be lost (8 digits), dots and spaces may stand between. Each value counts
    once, so that one date repeated in every row proves nothing.

    >>> columns_with_citizen_numbers(
    ...     pl.DataFrame({
    ...         "passing": ["111222333", "123.456.782", "999999990", "10000012"],
    ...         "failing": ["111222334", "123.456.783", "999999991", "10000013"],
    ...     })
    ... )
    ['passing']
    """
    sample = frame.gather_every(max(1, len(frame) // _SAMPLE)).cast(pl.String)
    if sample.is_empty():
        return []
    digits = pl.all().str.replace_all(r"[ .]", "")
    # Few columns look like it at all: one pass sorts out the others.
    shares = sample.select(digits.str.contains(r"^\d{8,9}$").mean()).row(0, named=True)
    suspects = [name for name, share in shares.items() if (share or 0) > _SUSPECT_SHARE]
    return [name for name in suspects if _mostly_pass(sample.select(digits)[name])]


def _mostly_pass(values: pl.Series) -> bool:
    different = values.drop_nulls().unique()
    numbers = different.filter(different.str.contains(r"^\d{8,9}$")).cast(pl.Int64).to_numpy()
    digits = numbers[:, None] // 10 ** np.arange(8, -1, -1) % 10
    proof = digits @ np.array([9, 8, 7, 6, 5, 4, 3, 2, -1])
    passing = int(((proof % 11 == 0) & (numbers > 0)).sum())
    return passing >= _ENOUGH and passing * 2 > len(different)
