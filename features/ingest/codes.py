"""A school's own absence codes to kinds; what the school has not explained is asked about."""

import polars as pl

from features.ingest.report import UnknownCode
from features.vocabulary import AbsenceKind

_LOOKS_LIKE_A_CODE = r"^[\w+./-]{1,8}$"


def with_kind(absence: pl.DataFrame, codes: pl.DataFrame) -> pl.DataFrame:
    """`absence` with `kind` and `authorised` from its school's `codes`.

    An unknown code gives `unverified`. The code itself is kept only where it says no more than
    the kind does: not for leave, whose code can tell a religion, and not when it is free text.
    """
    meaning = codes.select("school", "code", kind="category", authorised="authorised")
    meaning = meaning.unique(["school", "code"], keep="last", maintain_order=True)
    joined = absence.join(meaning, on=["school", "code"], how="left", maintain_order="left")
    is_unknown = pl.col("kind").is_null()
    is_telling = (pl.col("kind") == AbsenceKind.LEAVE) | (
        is_unknown & ~pl.col("code").str.contains(_LOOKS_LIKE_A_CODE)
    )
    return joined.with_columns(
        kind=pl.col("kind").fill_null(str(AbsenceKind.UNVERIFIED)),
        code_unknown=is_unknown,
        code=pl.when(is_telling.fill_null(False)).then(None).otherwise("code"),
    )


def unknown_codes(absence: pl.DataFrame) -> tuple[UnknownCode, ...]:
    """The codes to ask about, most frequent first."""
    counted = (
        absence.filter("code_unknown")
        .group_by("school", pl.col("code").fill_null(""))
        .len()
        .sort(["len", "school", "code"], descending=[True, False, False])
    )
    return tuple(UnknownCode(*row) for row in counted.iter_rows())
