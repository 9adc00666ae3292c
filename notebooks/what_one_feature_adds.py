# %% [markdown]
# # What one feature adds
#
# The same experiment with and without a feature, fitted on the same rows and judged on the *last
# weeks before the calibration*, so that the final test year stays untouched.
# Runs on the home of `make demo` (`var`), or on the one that TIJDIG_HOME names.

# %%
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from features.catalogue import feature
from features.governance.contracts import read_contracts
from features.governance.use import Action, Purpose, Use
from features.settings import Home
from features.vocabulary import Role
from models.registry import Registry
from training.experiment import FeatureChoice, parse_experiment
from training.search import judge, make_folds, rows_before_calibration
from training.summary import find_summary

FEATURES = ("sick_episodes_12w", "absent_share_4w")
home = Home(Path(os.environ.get("TIJDIG_HOME", "var")))
text = Registry.at(home).read_text(find_summary(home, "1").run_id, "experiment.toml")
experiment = parse_experiment(text, "experiment of version 1")
moment = datetime(2026, 11, 16, 7, tzinfo=UTC)
use = Use("notebook", Role.DATA_SCIENTIST, Purpose.EARLY_WARNING, Action.TRAIN, moment)
rows, values = rows_before_calibration(experiment, home, use)


# %% [markdown]
# ## With everything, and without one
# Early recall: of the pupil-weeks two school weeks or more before an onset, the share on the lists.


# %%
def early_recall(choice: FeatureChoice) -> tuple[float, float]:
    """Mean over the folds of early recall and log loss."""
    asked = replace(experiment, features=choice)
    found = [judge(asked, fold) for fold in make_folds(rows, values, asked)]
    return sum(each[0] for each in found) / len(found), sum(each[1] for each in found) / len(found)


whole, loss = early_recall(FeatureChoice())
print(f"all features: early recall {100 * whole:.1f} %, log loss {loss:.4f}")
for name in FEATURES:
    without, other = early_recall(FeatureChoice(without=(name,)))
    print(
        f"without {name}: {100 * (without - whole):+.1f} points, log loss {other - loss:+.5f}; "
        f"sensitivity {read_contracts()[name].sensitivity}, "
        f"{'about health' if feature(name).health else 'not about health'}"
    )

# %% [markdown]
# A difference of a few points on so few onsets is chance. `tijdig compare` says how much more than
# chance it would have to be; the ablations in `experiments/` ask it of whole themes.
