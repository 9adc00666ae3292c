"""The other labels: unauthorised time only, and the share of a span; pictures as in test_labels.

`.` present  `a` sick  `u` unauthorised  `?` not yet explained  `h` half the day sick  `-` nothing
planned
"""

from datetime import date, timedelta

import numpy as np
import pytest

from features.absence import DayGrid
from features.school_weeks import SchoolWeeks
from features.vocabulary import AbsenceKind, PupilKey
from training.experiment import Label
from training.labels import Outcome, SchoolLabels
from training.outcomes import label_rows

MONDAY = date(2026, 8, 31)
STRICT = Label(kind="strict", run_days=10, horizon_weeks=2)
SHARE = Label(kind="share", share_threshold=0.25, share_weeks=2)
SIGNS = {
    "a": (AbsenceKind.SICK, 300),
    "u": (AbsenceKind.UNAUTHORISED, 300),
    "?": (AbsenceKind.UNVERIFIED, 300),
    "h": (AbsenceKind.SICK, 150),
}


def labels(rule: Label, *pictures: str, week: int = 0) -> SchoolLabels:
    days = np.array([list(picture.replace(" ", "")) for picture in pictures])
    planned = np.where(days == "-", 0, 300).astype(np.int16)
    minutes: dict[AbsenceKind, np.ndarray] = {}
    for sign, (kind, length) in SIGNS.items():
        found = np.where(days == sign, length, 0).astype(np.int16)
        minutes[kind] = minutes.get(kind, np.zeros_like(planned)) + found
    nothing = np.zeros_like(planned)
    grid = DayGrid(
        pupil_keys=[PupilKey(f"p{number}") for number in range(len(days))],
        first_day=MONDAY,
        planned=planned,
        minutes=minutes,
        late=nothing,
        sent_out=nothing,
        group=nothing,
        group_names=("3a",),
        school_weeks=SchoolWeeks(MONDAY, np.asarray((planned > 0).any(axis=0))),
    )
    return label_rows(grid, (MONDAY + timedelta(weeks=week),), rule)


def outcome(rule: Label, *pictures: str, week: int = 0) -> list[str]:
    return [Outcome(int(each)).name for each in labels(rule, *pictures, week=week).outcome[:, 0]]


PRESENT = ".....-- .....-- .....-- .....-- .....--"


@pytest.mark.parametrize(
    ("picture", "strict"),
    [
        pytest.param("..uuu-- uuuuu-- uu...-- .....-- .....--", "ONSET", id="unauthorised"),
        pytest.param("..aaa-- aaaaa-- aa...-- .....-- .....--", "NO_ONSET", id="sick"),
        pytest.param("..uuu-- aaauu-- uu...-- .....-- .....--", "NO_ONSET", id="half of each"),
        pytest.param("..uuu-- ?uuuu-- uu...-- .....-- .....--", "ONSET", id="a day unexplained"),
    ],
)
def test_strict_counts_unauthorised_time_only(picture: str, strict: str) -> None:
    assert outcome(STRICT, picture, PRESENT)[0] == strict


@pytest.mark.parametrize(
    ("picture", "came"),
    [
        pytest.param("aa...-- ...h.-- .....-- .....-- .....--", "ONSET", id="2.5 of 10 days"),
        pytest.param("aa...-- .....-- aaaaa-- .....-- .....--", "NO_ONSET", id="just under"),
        pytest.param(".....-- .....-- aaaaa-- aaaaa-- .....--", "NO_ONSET", id="too late"),
        pytest.param("aaaaa-- .....-- ------- ------- -------", "ONSET", id="left afterwards"),
        pytest.param("aaaaa-- ------- ------- ------- -------", "CENSORED", id="left inside"),
    ],
)
def test_share_of_the_planned_time_of_the_next_weeks(picture: str, came: str) -> None:
    assert outcome(SHARE, picture, PRESENT)[0] == came


def test_what_lies_before_the_as_of_date_is_never_in_the_label() -> None:
    """The published fault: a year explained by the same year."""
    before = "aaaaa-- .....-- .....-- .....-- .....--"
    assert outcome(SHARE, before, PRESENT, week=1) == ["NO_ONSET", "NO_ONSET"]
    unauthorised = before.replace("a", "u")
    assert outcome(STRICT, unauthorised, PRESENT, week=1) == ["NO_ONSET", "NO_ONSET"]


def test_the_onset_of_a_share_is_the_day_that_reaches_it() -> None:
    found = labels(SHARE, ".aa..-- h....-- .....-- .....-- .....--", PRESENT)
    assert found.onset_on[0, 0] == np.datetime64(MONDAY + timedelta(days=7))
    assert found.lead_weeks[:, 0].tolist() == [1, -1]
    assert found.window_end[0, 0] == np.datetime64(MONDAY + timedelta(days=13))


def test_a_window_that_the_data_do_not_reach_is_nobodys_knowledge() -> None:
    assert outcome(SHARE, "aaaaa--", ".....--") == ["IMMATURE", "IMMATURE"]
