# %% [markdown]
# # A first look at the data
#
# From an invented region's deliveries to the features of one Monday, step by step.
# Open this file as a notebook (percent format) or run it: `python notebooks/first_look.py`.

# %%
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from features.build import build
from features.catalogue import MODEL_FEATURES, feature
from features.ingest import ingest
from features.records import LogTable, RecordLog
from features.school_weeks import as_of_moment
from features.settings import Home
from features.synthetic import simulate

folder = Path(tempfile.mkdtemp())
home = Home(folder / "var")
simulate(folder / "sim", 300, 1, 7, date(2026, 11, 15), lambda _: None)

# %% [markdown]
# ## Deliveries in
# Every report adds up: rows read are accepted, changed, repeated or quarantined.

# %%
for delivery in sorted((folder / "sim" / "deliveries").iterdir()):
    report = ingest(delivery, home, datetime(2026, 11, 15, 20, tzinfo=UTC))
    print("\n".join(report.lines()))

# %% [markdown]
# ## What was known, and when
# The same week, read on the Monday after it and two Mondays later: late records and corrections.

# %%
log = RecordLog(home.records)
week = (datetime(2026, 10, 26), datetime(2026, 11, 2))
for monday in (date(2026, 11, 2), date(2026, 11, 16)):
    known = pl.DataFrame(log.read_as_of(LogTable.ABSENCE, as_of_moment(monday)))
    inside = known.filter(pl.col("starts_at").is_between(*week, closed="left"))
    print(f"known on {monday}: {len(inside)} records of the week of {week[0]:%d-%m}")

# %% [markdown]
# ## The features of one Monday

# %%
table = pl.concat([pl.DataFrame(part) for part in build(log, [date(2026, 11, 16)])])
print(f"{len(table)} pupils, {len(MODEL_FEATURES)} features a model may use")
for name in ("absent_share_4w", "sick_episodes_12w", "group_deviation_4w"):
    values = table[name].fill_nan(None)
    print(
        f"{feature(name).label_nl}: mean {values.mean():.3f}, undefined for {values.null_count()}"
    )
