"""An invented region with two trained models, made once per test process for all who ask."""

import atexit
import functools
import shutil
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

from features.build import build
from features.governance.use import Action, Purpose, Use
from features.ingest import ingest
from features.records import RecordLog
from features.school_weeks import mondays_between
from features.settings import Home
from features.store import FeatureStore
from features.synthetic import simulate
from features.vocabulary import Role
from training.fit import train

NOW = datetime(2026, 11, 16, 7, tzinfo=UTC)
USE = Use("tests", Role.DATA_SCIENTIST, Purpose.EARLY_WARNING, Action.TRAIN, NOW)
SHARED = """
[label]
run_days = 5
horizon_weeks = 6
[splits]
calibration_weeks = 4
[evaluation]
replicates = 40
curve_shares = [0.01, 0.05]
[search]
trials = 3
folds = 1
by = "weeks"
fold_weeks = 3
"""
TREES = f"""
name = "trees"
question = "Does a week at home follow from what is recorded?"
seeds = [7]
{SHARED}
[model]
rounds = 30
threads = 1
"""
LINE = f"""
name = "line"
question = "Is a line without the records of support enough?"
family = "logistic"
[features]
without_themes = ["support"]
{SHARED}
"""


@functools.cache
def two_models() -> Home:
    """Version 1 is of trees, version 2 a logistic regression without support; none is in use."""
    root = Path(tempfile.mkdtemp(prefix="tijdig-two-models-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    home = Home(root / "home")
    simulate(root, pupils=300, years=2, seed=4, end=date(2026, 11, 15))
    for delivery in sorted((root / "deliveries").iterdir()):
        ingest(delivery, home, NOW)
    store = FeatureStore.at(home)
    mondays = mondays_between(date(2024, 9, 16), date(2026, 11, 9))[::2]
    store.apply(USE)
    for table in build(RecordLog(home.records), mondays):
        store.write(table, mondays)
    for name, text in (("trees", TREES), ("line", LINE)):
        path = root / f"{name}.toml"
        path.write_text(text, encoding="utf-8")
        train(path, home, USE)
    return home
