# %% [markdown]
# # Comparing two models
#
# The same pupils, the same resamples, one question: is B better than A by more than chance?
# Runs on the home of `make demo` (`var`), or on the one that TIJDIG_HOME names; train a second
# experiment first, for example `tijdig train experiments/logistic.toml`.

# %%
import os
from datetime import UTC, datetime
from pathlib import Path

from features.governance.use import Action, Purpose, Use
from features.settings import Home
from features.vocabulary import Role
from training.duel import compare_versions
from training.duel_report import lines

home = Home(Path(os.environ.get("TIJDIG_HOME", "var")))
moment = datetime(2026, 11, 16, 7, tzinfo=UTC)
use = Use("notebook", Role.DATA_SCIENTIST, Purpose.EARLY_WARNING, Action.TRAIN, moment)
found = compare_versions(home, "1", "2", ["mazl", "share_4w"], use)

# %% [markdown]
# ## The verdict, and what it rests on

# %%
print("\n".join(lines(found)))

# %% [markdown]
# ## Every paired difference
# An interval that holds zero shows nothing. Looking again at the same year does not help: it is
# counted.

# %%
for difference in found.differences:
    print(difference.line())
print(f"this test year was looked at {found.looks} times")
