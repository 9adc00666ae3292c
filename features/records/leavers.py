"""Who left a school, and whether a next school is known."""

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from features.records.log import RecordLog
from features.records.schema import LogTable


def leavers(log: RecordLog, as_of: datetime, schools: Sequence[str] | None = None) -> pl.DataFrame:
    """Every pupil whose last placement had ended, as known strictly before `as_of`.

    Columns `pupil_key`, `school` (the last one), `born_on`, `left_on` and `left_to`: *school* also
    where the pupil is placed at a later school under the same key; *unknown* also where the school
    that was left said nothing. An end after `as_of` has not come yet.
    """
    placements = pl.DataFrame(log.read_as_of(LogTable.PLACEMENTS, as_of))
    last = placements.sort("enrolled_on", "record_key").unique(
        ["pupil_key", "school"], keep="last", maintain_order=True
    )
    newest = last.sort("enrolled_on", "record_key").unique(
        "pupil_key", keep="last", maintain_order=True
    )
    is_last = pl.struct("pupil_key", "school").is_in(
        newest.select(pl.struct("pupil_key", "school")).to_series().implode()
    )
    gone = last.filter(pl.col("left_on") < as_of.date()).with_columns(
        left_to=pl.when(is_last)
        .then(pl.col("left_to").fill_null("unknown"))
        .otherwise(pl.lit("school"))
    )
    chosen = gone if schools is None else gone.filter(pl.col("school").is_in(list(schools)))
    return chosen.select("pupil_key", "school", "born_on", "left_on", "left_to").sort(
        "school", "pupil_key", "left_on"
    )
