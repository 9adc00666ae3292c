"""A school's own absence codes to kinds; what the school has not explained is asked about."""

import re
from collections import Counter
from dataclasses import dataclass, field

import polars as pl

from features.governance.vault import Vault
from features.ingest.report import UnknownCode
from features.vocabulary import AbsenceKind

MOST_LETTERS = 2
"""Up to this length an unexplained code is kept as it is; a longer one may be a name."""
ENOUGH_PUPILS = 5
"""A text that stands with this many pupils of a school is a code and may be shown."""
MOST_CODES = 10_000
"""Of one delivery so many are asked about."""
_LOOKS_LIKE_A_CODE = r"^[\w+./-]{1,8}$"
_LETTERS_OF_HASH = 10


def with_kind(absence: pl.DataFrame, codes: pl.DataFrame, vault: Vault) -> pl.DataFrame:
    """`absence` with `kind` and `authorised` from its school's `codes`, as meant on its day.

    Without a meaning, what the source system itself calls it (`source_kind`) says the kind, and
    plain absence is `unverified`: never unauthorised on the word of an unknown code. The code is
    kept where it says no more than the kind does: not for leave, whose code can tell a religion.
    One that is not explained is kept as a keyed hash unless it is very short, since names get
    typed in its place too.
    """
    joined = _with_meaning(absence, codes).with_columns(pl.col("code").cast(pl.String))
    no_meaning = pl.col("kind").is_null()
    by_source = pl.coalesce("source_kind", pl.lit(str(AbsenceKind.UNVERIFIED)))
    is_open_question = no_meaning & (by_source == AbsenceKind.UNVERIFIED)
    own_word = pl.when(~is_open_question).then(
        pl.when(pl.col("authorised").is_not_null()).then(pl.col("authorised") == "yes")
    )
    return joined.with_columns(
        kind=pl.coalesce("kind", by_source),
        authorised=pl.when(no_meaning).then(own_word).otherwise("meant_authorised"),
        unknown_code=pl.when(is_open_question).then("code"),
        code=_kept_codes(joined.with_columns(no_meaning=no_meaning), vault),
    ).drop("meant_authorised")


def _with_meaning(absence: pl.DataFrame, codes: pl.DataFrame) -> pl.DataFrame:
    """`absence` with `kind` and `meant_authorised`, null where the school has not said so."""
    last = codes.unique(["school", "code"], keep="last", maintain_order=True)
    if codes.select(pl.col("valid_from", "valid_to").is_null().all()).row(0) == (True, True):
        # Each code has one meaning, whatever the day.
        # In the words of the rows: a school or code that they do not have becomes null.
        pair = absence.select("school", "code").schema
        meaning = last.select("school", "code", kind="category", meant_authorised="authorised")
        meaning = meaning.cast(pair, strict=False)
        return absence.join(meaning, on=["school", "code"], how="left", maintain_order="left")
    return absence.join(_on_its_day(absence, codes), on="order", how="left", maintain_order="left")


def _on_its_day(absence: pl.DataFrame, codes: pl.DataFrame) -> pl.DataFrame:
    """Per row of absence (`order`) what its code meant that day, where the school has said so."""
    meaning = codes.select(
        "school",
        "code",
        "valid_from",
        "valid_to",
        place=pl.int_range(pl.len()),
        kind="category",
        meant_authorised="authorised",
    )
    day = pl.col("starts_at").dt.date()
    holds = (day >= pl.col("valid_from")).fill_null(True) & (day <= pl.col("valid_to")).fill_null(
        True
    )
    return (
        absence.select("order", pl.col("school", "code").cast(pl.String), "starts_at")
        .join(meaning, on=["school", "code"], how="inner")
        .filter(holds)
        .sort("order", "valid_from", "place", nulls_last=False)
        .unique("order", keep="last", maintain_order=True)
        .select("order", "kind", "meant_authorised")
    )


def _kept_codes(absence: pl.DataFrame, vault: Vault) -> pl.Series:
    """The codes as they are stored; `absence` has `kind`, null where there is `no_meaning`."""
    is_long = (pl.col("code").str.len_chars() > MOST_LETTERS) & pl.col("no_meaning")
    pairs = ["school", "code"]
    texts = absence.filter(is_long.fill_null(False)).select(pairs).unique(maintain_order=True)
    joined = texts.select(pl.concat_str(pl.lit("code"), *pairs, separator="\x1f")).to_series()
    hashes = "?" + vault.record_keys(joined).str.slice(0, _LETTERS_OF_HASH)
    hashed = texts.with_columns(hashes.alias("hashed"))
    kept = absence.join(hashed, on=pairs, how="left", maintain_order="left")
    is_leave = (pl.col("kind") == AbsenceKind.LEAVE).fill_null(False)
    return kept.select(
        pl.when(~is_leave).then(pl.coalesce("hashed", "code")).alias("code")
    ).to_series()


@dataclass
class UnknownCodes:
    """The codes that a delivery leaves unexplained, gathered part by part.

    Of the first MOST_CODES different ones; rows with still others are counted in `rows_left_out`,
    so that a column of remarks taken for codes cannot fill the memory.
    """

    rows_left_out: int = 0
    _rows: Counter[tuple[str, str]] = field(default_factory=Counter)
    _written: dict[tuple[str, str], str] = field(default_factory=dict)
    _pupils: dict[tuple[str, str], set[str]] = field(default_factory=dict)

    def note(self, absence: pl.DataFrame) -> None:
        """Count the open questions in rows that came out of `with_kind`."""
        asked = absence.filter(pl.col("unknown_code").is_not_null()).group_by(
            "school", "code", maintain_order=True
        )
        for school, code, written, rows, pupils in asked.agg(
            pl.col("unknown_code").first(),
            pl.len(),
            pl.col("pupil_key").unique().head(ENOUGH_PUPILS),
        ).iter_rows():
            key = (school, code)
            if key not in self._rows and len(self._rows) >= MOST_CODES:
                self.rows_left_out += rows
                continue
            self._rows[key] += rows
            self._written[key] = written
            self._pupils.setdefault(key, set()).update(pupils)

    def asked(self) -> tuple[UnknownCode, ...]:
        """What to ask each school, most frequent first; a text that may be a name is not shown."""
        found = [
            UnknownCode(school, self._shown(school, code), rows)
            for (school, code), rows in self._rows.items()
        ]
        return tuple(sorted(found, key=lambda one: (-one.rows, one.school, one.code)))

    def _shown(self, school: str, code: str) -> str:
        written = self._written[school, code]
        is_shared = len(self._pupils[school, code]) >= ENOUGH_PUPILS
        return written if is_shared and re.match(_LOOKS_LIKE_A_CODE, written) else code
