# %% [markdown]
# # Anatomy of one model
#
# What the newest model weighs, whether its chances come true, and how one score is made of parts.
# Runs on the home of `make demo` (`var`), or on the one that TIJDIG_HOME names.

# %%
import os
from pathlib import Path

import numpy as np

from features.settings import Home
from models.explain import contributions
from models.registry import Registry
from models.terms import terms_of
from training.summary import find_summary

home = Home(Path(os.environ.get("TIJDIG_HOME", "var")))
summary = find_summary(home, "latest")
model = Registry.at(home).bundle(summary.model_version)
print(f"version {summary.model_version}: {summary.question}")
print(f"{len(model.features)} features, learned until {summary.trained_until}")

# %% [markdown]
# ## Whom it is for
# The cohort and the capacity under which it was measured travel with it.

# %%
terms = terms_of(model.metadata)
print(terms.cohort)
print(terms.capacity)

# %% [markdown]
# ## Do its chances come true?
# In every bin about as many onsets are expected; the last number is what came, with its interval.

# %%
for each in summary.calibration:
    observed = each.observed
    print(
        f"{each.rows:7} rows, expected {100 * each.expected:6.2f} %, came "
        f"{100 * observed.value:6.2f} % ({100 * observed.low:.2f} to {100 * observed.high:.2f})"
    )

# %% [markdown]
# ## How a score is made
# An invented pupil, nobody's record: a quarter of the last four weeks absent. The parts add up to
# the margin exactly.

# %%
usual = dict.fromkeys(model.features, 0.0)
absent = usual | {name: 0.25 for name in model.features if name == "absent_share_4w"}
x = np.array([list(usual.values()), list(absent.values())], dtype=np.float32)
explained = contributions(model, x)
for theme, before, after in zip(explained.themes, *explained.by_theme, strict=True):
    print(f"{theme.label:35} {before:+.3f} -> {after:+.3f}")
margins = model.margin(x)
assert np.allclose(explained.base + explained.by_theme.sum(axis=1), margins)
print(f"margin {margins[0]:+.3f} -> {margins[1]:+.3f}: the parts add up")
