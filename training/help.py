"""Who was helped after the as-of date: support that started, or a talk held, before any onset."""

from datetime import datetime

import polars as pl

from features.records import LogTable, RecordLog
from features.vocabulary import SupportStatus
from training.bootstrap import Flags

COUNTS = frozenset(
    {SupportStatus.PLANNED.value, SupportStatus.RUNNING.value, SupportStatus.DONE.value}
)


def helped_after(frame: pl.DataFrame, log: RecordLog, moment: datetime, weeks: int) -> Flags:
    """Per row: did support start within `weeks` weeks after the as-of date, and before the onset?

    `frame` has pupil_key, as_of and onset_on; support as known at `moment`. Who was helped and
    stayed at school looks like a false alarm, which is why figures are given with and without.
    """
    support = pl.DataFrame(log.read_as_of(LogTable.SUPPORT, moment))
    starts = (
        support.filter(pl.col("status").is_in(list(COUNTS)) & pl.col("starts_on").is_not_null())
        .select("pupil_key", "starts_on")
        .unique()
        .sort("starts_on")
    )
    joined = (
        frame.select("pupil_key", "as_of", "onset_on")
        .with_row_index("row")
        .sort("as_of")
        .join_asof(
            starts,
            left_on="as_of",
            right_on="starts_on",
            by="pupil_key",
            strategy="forward",
            tolerance=f"{7 * weeks}d",
            check_sortedness=False,
        )
        .sort("row")
    )
    before = joined["onset_on"].is_null() | (joined["starts_on"] < joined["onset_on"])
    helped: Flags = (joined["starts_on"].is_not_null() & before.fill_null(False)).to_numpy()
    return helped
