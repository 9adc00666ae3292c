"""Labels as pictures: one character per day, one week per word, starting on a Monday.

`.` present  `a` absent (sick)  `h` half the day absent  `q` a quarter  `v` granted leave
`s` suspended  `c` closed by the school  `e` education elsewhere  `-` nothing planned
"""

from datetime import date, timedelta

import numpy as np
import pytest

from features.absence import DayGrid
from features.school_weeks import SchoolWeeks
from features.vocabulary import AbsenceKind, PupilKey
from training.experiment import Label
from training.labels import Outcome, SchoolLabels, label_school

MONDAY = date(2026, 8, 31)
RULE = Label(run_days=10, absent_share=0.8, horizon_weeks=2)
KINDS = {
    "a": (AbsenceKind.SICK, 300),
    "h": (AbsenceKind.UNAUTHORISED, 150),
    "q": (AbsenceKind.UNVERIFIED, 75),
    "v": (AbsenceKind.LEAVE, 300),
    "s": (AbsenceKind.SUSPENSION, 300),
    "c": (AbsenceKind.SCHOOL_CLOSED, 300),
    "e": (AbsenceKind.ELSEWHERE, 300),
}


def grid(*pictures: str) -> DayGrid:
    """One pupil per picture; a day is a school day when something is planned for anyone."""
    days = np.array([list(picture.replace(" ", "")) for picture in pictures])
    planned = np.where(days == "-", 0, 300).astype(np.int16)
    minutes: dict[AbsenceKind, np.ndarray] = {}
    for sign, (kind, length) in KINDS.items():
        minutes[kind] = np.where(days == sign, length, 0).astype(np.int16)
    nothing = np.zeros_like(planned)
    return DayGrid(
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


def label(*pictures: str, weeks: tuple[int, ...] = (0,), rule: Label = RULE) -> SchoolLabels:
    mondays = tuple(MONDAY + timedelta(weeks=week) for week in weeks)
    return label_school(grid(*pictures), mondays, rule)


def onset_day(*pictures: str, week: int = 0, rule: Label = RULE) -> int | None:
    """The day number of the first pupil's onset in the horizon of `week`."""
    labels = label(*pictures, weeks=(week,), rule=rule)
    onset = labels.onset_on[0, 0]
    return None if np.isnat(onset) else int((onset - np.datetime64(MONDAY)).astype(int))


FULL = "....... ....... ....... ....... ....... ......."


@pytest.mark.parametrize(
    ("picture", "day"),
    [
        pytest.param("..aaa-- aaaaa-- aa...-- .....-- .....--", 2, id="ten days from Wednesday"),
        pytest.param("..aaa-- aaaaa-- a....-- .....-- .....--", 2, id="nine of ten days is enough"),
        pytest.param("..aaa-- aaaaa-- .....-- .....-- .....--", 2, id="eight of ten is the bound"),
        pytest.param("..aaa-- aaaah-- .....-- .....-- .....--", None, id="just under the bound"),
        pytest.param("..aaa-- aaaah-- h....-- .....-- .....--", 2, id="two half days make a day"),
        pytest.param("..haa-- aaaaa-- aa...-- .....-- .....--", 2, id="a run may start half"),
        pytest.param("..qaa-- aaaaa-- aa...-- .....-- .....--", 3, id="a quarter is no absent day"),
        pytest.param("...aa-- ------- aaaaa-- aaa..-- .....-- .....--", 3, id="across a holiday"),
        pytest.param("...aa-- .....-- aaaaa-- aaa..-- .....-- .....--", None, id="a week back"),
    ],
)
def test_onset(picture: str, day: int | None) -> None:
    assert onset_day(picture) == day


@pytest.mark.parametrize(
    ("picture", "day"),
    [
        pytest.param("vvvvv-- vvvvv-- .....-- .....-- .....--", None, id="granted leave"),
        pytest.param("eeeee-- eeeee-- .....-- .....-- .....--", None, id="education elsewhere"),
        pytest.param("ccccc-- ccccc-- .....-- .....-- .....--", None, id="closed"),
        pytest.param(
            "aaaaa-- ccccc-- aaaaa-- .....-- .....--", 0, id="closed days are stepped over"
        ),
        pytest.param("aasss-- ssaaa-- .....-- .....-- .....--", None, id="five days suspended"),
        pytest.param("aasss-- sssaa-- .....-- .....-- .....--", 0, id="six days suspended"),
        pytest.param("aaavv-- aaaaa-- .....-- .....-- .....--", 0, id="two days leave inside"),
    ],
)
def test_what_the_school_caused_is_not_absence(picture: str, day: int | None) -> None:
    assert onset_day(picture) == day


def test_only_the_first_day_of_merged_runs_is_an_onset() -> None:
    picture = "aaaaa-- aaaaa-- aaaaa-- aaa..-- .....-- .....-- .....--"
    assert onset_day(picture, week=0) == 0
    assert onset_day(picture, week=1) is None, "the run had already started"


def test_two_runs_apart_are_two_onsets() -> None:
    picture = "aaaaa-- aaaaa-- .....-- .....-- aaaaa-- aaaaa-- .....-- .....-- .....--"
    assert onset_day(picture, week=0) == 0
    assert onset_day(picture, week=3) == 28


def test_the_horizon_counts_school_weeks() -> None:
    picture = ".....-- ------- .....-- aaaaa-- aaaaa-- .....-- .....-- .....--"
    assert onset_day(picture, week=0) is None, "third school week"
    assert onset_day(picture, week=2) == 21


def test_lead_is_counted_in_school_weeks() -> None:
    labels = label(
        ".....-- ------- .....-- .aaaa-- aaaaa-- aa...-- .....-- .....--",
        weeks=(2, 3),
        rule=Label(run_days=10, horizon_weeks=3),
    )
    assert labels.lead_weeks.tolist() == [[1, 0]]
    labels = label(
        ".....-- ------- .....-- .aaaa-- aaaaa-- aa...-- .....-- .....--",
        rule=Label(run_days=10, horizon_weeks=3),
    )
    assert labels.lead_weeks.tolist() == [[2]]


@pytest.mark.parametrize(
    ("picture", "outcome"),
    [
        pytest.param(".....-- .....-- .....-- .....--", Outcome.NO_ONSET, id="seen to the end"),
        pytest.param(".....-- ...---- ------- -------", Outcome.CENSORED, id="left in the horizon"),
        pytest.param(".....-- .....-- .....-- ...----", Outcome.CENSORED, id="left inside the run"),
        pytest.param(".....-- .....-- .....-- ....---", Outcome.NO_ONSET, id="left just after"),
        pytest.param("aaaaa-- aaaaa-- ------- -------", Outcome.ONSET, id="left after the onset"),
        pytest.param("aaaaa-- aaaa--- ------- -------", Outcome.CENSORED, id="left during the run"),
        pytest.param("------- ------- .....-- .....--", Outcome.CENSORED, id="nothing planned"),
    ],
)
def test_leavers_are_censored_unless_the_onset_came_first(picture: str, outcome: Outcome) -> None:
    classmate = ".....-- .....-- .....-- .....--"
    assert label(picture, classmate).outcome[:, 0].tolist() == [outcome, Outcome.NO_ONSET]


def test_end_of_data_makes_everyone_immature_also_who_already_started() -> None:
    """Else the newest weeks would hold onsets only."""
    labels = label("aaaaa-- aaaaa-- aaa..--", ".....-- .....-- .....--")
    assert labels.outcome[:, 0].tolist() == [Outcome.IMMATURE, Outcome.IMMATURE]
    assert np.isnat(labels.onset_on).all()
    assert (labels.window_end > np.datetime64("2200-01-01")).all()


def test_a_label_is_known_when_horizon_and_run_have_passed() -> None:
    picture = ".....-- .....-- ------- .....-- .....--"
    ends = label(picture, picture).window_end - np.datetime64(MONDAY)
    assert ends.astype(int).tolist() == [[31], [31]], "nine planned days after Friday of week 2"


def test_changing_anything_after_the_window_changes_no_label() -> None:
    """And changing something inside it does: the test can fail."""
    quiet = ".....-- .....-- .....-- .....-- .....-- .....--"
    late_run = ".....-- .....-- .....-- .....-- aaaaa-- aaaaa--"
    inside = ".....-- ...aa-- aaaaa-- aaa..-- .....-- .....--"
    assert label(quiet).outcome.tolist() == label(late_run).outcome.tolist() == [[0]]
    assert label(inside).outcome.tolist() == [[1]]


def test_table_has_one_row_per_pupil_and_monday() -> None:
    table = label("aaaaa-- aaaaa-- .....-- .....-- .....--", weeks=(0, 1)).table()
    assert table.num_rows == 2
    assert table["outcome"].to_pylist() == [Outcome.ONSET, Outcome.NO_ONSET]
    assert table["onset_on"].to_pylist() == [MONDAY, None]
    assert table["as_of"].to_pylist() == [MONDAY, MONDAY + timedelta(weeks=1)]


def test_against_a_slow_and_obvious_reading_of_the_definition() -> None:
    """Random pictures: every pupil, every Monday, the sentence of the design word by word."""
    generator = np.random.default_rng(7)
    rule = Label(run_days=6, absent_share=0.75, horizon_weeks=2)
    weeks = 9
    for _ in range(15):
        days = np.where(np.arange(7 * weeks) % 7 > 4, "-", ".")
        days[7 * int(generator.integers(2, weeks)) :][:7] = "-"
        pictures = []
        for _ in range(4):
            pupil = days.copy()
            for _ in range(int(generator.integers(0, 3))):
                start = int(generator.integers(0, 7 * weeks))
                stretch = slice(start, start + int(generator.integers(3, 14)))
                pupil[stretch] = np.where(
                    (pupil[stretch] == ".") & (generator.random(len(pupil[stretch])) < 0.85),
                    "a",
                    pupil[stretch],
                )
            if generator.random() < 0.3:
                pupil[int(generator.integers(7, 7 * weeks)) :] = "-"
            pictures.append("".join(pupil))
        pictures.append("".join(days))
        labels = label(*pictures, weeks=tuple(range(weeks)), rule=rule)
        for pupil_number, picture in enumerate(pictures):
            for week in range(weeks):
                wanted = _slow_label(picture, "".join(days), week, rule)
                assert labels.outcome[pupil_number, week] == wanted, (picture, week)


def _slow_label(picture: str, calendar: str, week: int, rule: Label) -> Outcome:
    weeks = len(calendar) // 7
    school = [w for w in range(week, weeks) if "." in calendar[7 * w : 7 * w + 7]]
    if len(school) < rule.horizon_weeks:
        return Outcome.IMMATURE
    end = 7 * (school[rule.horizon_weeks - 1] + 1)
    school_days = [d for d in range(len(calendar)) if calendar[d] == "."]
    last = max(d for d in school_days if d < end)
    if len([d for d in school_days if d >= last]) < rule.run_days:
        return Outcome.IMMATURE
    planned = [d for d in range(len(picture)) if picture[d] != "-"]
    member: set[int] = set()
    starts = []
    for place, day in enumerate(planned):
        run = planned[place : place + rule.run_days]
        absent = sum(picture[d] == "a" for d in run)
        complete = len(run) == rule.run_days
        if complete and picture[day] == "a" and absent >= rule.absent_share * rule.run_days:
            if place == 0 or (planned[place - 1] not in member and day not in member):
                starts.append(day)
            member.update(run)
    if any(7 * week <= day < end for day in starts):
        return Outcome.ONSET
    inside = [d for d in planned if 7 * week <= d < end]
    if not inside or len([d for d in planned if d >= inside[-1]]) < rule.run_days:
        return Outcome.CENSORED
    return Outcome.NO_ONSET
