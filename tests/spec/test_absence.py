"""Absence, by example. Autumn holiday in region midden: 17 to 25 October 2026."""

from collections.abc import Callable
from math import isnan

import pytest

Feature = Callable[..., float]

SIXTEEN_HOURS = """
    starts_at        | minutes | kind
    2026-10-05 08:30 |     300 | unauthorised
    2026-10-14 08:30 |     300 | unauthorised
    2026-10-27 08:30 |     300 | unauthorised
    2026-11-06 10:30 |      60 | unauthorised
"""


def test_four_school_weeks_reach_across_a_holiday(feature: Feature) -> None:
    # Weeks 41, 42, [43 is the holiday], 44 and 45 are four consecutive school weeks.
    assert feature("unauthorised_hours_4w", as_of="2026-11-09", absence=SIXTEEN_HOURS) == 16


def test_after_one_more_week_the_first_day_is_outside_the_four(feature: Feature) -> None:
    assert feature("unauthorised_hours_4w", as_of="2026-11-16", absence=SIXTEEN_HOURS) == 11


def test_a_share_is_absent_minutes_of_planned_minutes(feature: Feature) -> None:
    table = """
        starts_at        | ends_at          | kind
        2026-11-02 08:30 | 2026-11-04 14:00 | sick
        2026-11-05 08:30 | 2026-11-05 09:20 | medical_visit
    """
    # Three whole days of 300 minutes and 50 minutes, of 20 days.
    assert feature("absent_share_4w", as_of="2026-11-09", absence=table) == pytest.approx(
        950 / 6000
    )
    assert feature("sick_share_1w", as_of="2026-11-09", absence=table) == pytest.approx(900 / 1500)
    assert feature("other_authorised_share_4w", as_of="2026-11-09", absence=table) == (
        pytest.approx(50 / 6000)
    )
    assert feature("absent_days_4w", as_of="2026-11-09", absence=table) == 3
    assert feature("part_days_12w", as_of="2026-11-09", absence=table) == 1


def test_half_of_the_planned_time_makes_an_absent_day(feature: Feature) -> None:
    table = """
        starts_at        | minutes | kind
        2026-11-02 08:30 |     150 | leave
        2026-11-03 08:30 |     149 | leave
    """
    assert feature("absent_days_4w", as_of="2026-11-09", absence=table) == 1
    assert feature("part_days_12w", as_of="2026-11-09", absence=table) == 1


def test_the_last_day_of_a_placement_counts(feature: Feature) -> None:
    table = """
        group | year_group | enrolled_on | left_on
        6a    | 6          | 2026-10-05  | 2026-10-30
        6a    | 6          | 2026-11-03  | 2026-11-09
    """
    # Without Monday 2 November: 15 days until 30 October, and 4 from 3 November.
    assert feature("planned_minutes_4w", as_of="2026-11-09", placements=table) == 19 * 300


def test_overlapping_records_never_exceed_the_planned_day(feature: Feature) -> None:
    table = """
        starts_at        | ends_at          | minutes | kind
        2026-11-03 00:00 | 2026-11-03 00:00 |         | sick
        2026-11-03 10:00 | 2026-11-03 11:00 |         | medical_visit
        2026-11-03 08:30 |                  |      50 | unauthorised
        2026-11-04 08:30 |                  |     120 | leave
        2026-11-04 00:00 | 2026-11-04 00:00 |         | sick
        2026-11-05 08:30 |                  |     300 | unverified
        2026-11-05 10:00 |                  |     120 | unauthorised
    """
    # Illness goes before a medical visit and before unauthorised absence; leave before illness;
    # what is certain before what nobody explained yet.
    assert feature("absent_share_1w", as_of="2026-11-09", absence=table) == pytest.approx(
        900 / 1500
    )
    assert feature("sick_share_1w", as_of="2026-11-09", absence=table) == pytest.approx(480 / 1500)
    assert feature("unauthorised_hours_4w", as_of="2026-11-09", absence=table) == 2


def test_the_same_lesson_registered_twice_counts_once(feature: Feature) -> None:
    table = """
        starts_at        | minutes | kind
        2026-11-03 08:30 |      50 | unauthorised
        2026-11-03 08:30 |      50 | unauthorised
        2026-11-03 09:20 |      50 | unauthorised
    """
    assert feature("unauthorised_hours_4w", as_of="2026-11-09", absence=table) == (
        pytest.approx(100 / 60)
    )


def test_an_open_report_runs_to_the_monday(feature: Feature) -> None:
    table = """
        starts_at        | kind
        2026-11-05 08:30 | sick
    """
    assert feature("current_absence_run", as_of="2026-11-09", absence=table) == 2
    assert feature("current_absence_run", as_of="2026-11-16", absence=table) == 7


def test_a_report_closed_later_was_open_until_then(feature: Feature) -> None:
    table = """
        record_key | starts_at        | ends_at          | kind | known_at
        a          | 2026-11-02 08:30 |                  | sick | 2026-11-02 09:00
        a          | 2026-11-02 08:30 | 2026-11-03 14:00 | sick | 2026-11-12 10:00
    """
    assert feature("absent_days_4w", as_of="2026-11-09", absence=table) == 5
    assert feature("absent_days_4w", as_of="2026-11-16", absence=table) == 2


def test_what_is_recorded_on_the_monday_is_not_known_yet(feature: Feature) -> None:
    table = """
        starts_at        | minutes | kind         | known_at
        2026-11-05 08:30 |     120 | unauthorised | 2026-11-08 12:00
        2026-11-06 08:30 |     120 | unauthorised | 2026-11-09 05:00
    """
    # 05:00 UTC is 06:00 in Amsterdam: the moment itself is too late.
    assert feature("unauthorised_hours_4w", as_of="2026-11-09", absence=table) == 2
    assert feature("unauthorised_hours_4w", as_of="2026-11-16", absence=table) == 4


def test_a_correction_and_a_withdrawal_count_from_when_they_were_made(feature: Feature) -> None:
    table = """
        record_key | starts_at        | minutes | kind         | withdrawn | known_at
        a          | 2026-11-03 08:30 |     180 | unauthorised | no        | 2026-11-03 12:00
        a          | 2026-11-03 08:30 |     180 | sick         | no        | 2026-11-10 12:00
        b          | 2026-11-04 08:30 |      60 | unauthorised | no        | 2026-11-04 12:00
        b          | 2026-11-04 08:30 |      60 | unauthorised | yes       | 2026-11-18 12:00
    """
    assert feature("unauthorised_hours_4w", as_of="2026-11-09", absence=table) == 4
    assert feature("unauthorised_hours_4w", as_of="2026-11-16", absence=table) == 1
    assert feature("unauthorised_hours_4w", as_of="2026-11-23", absence=table) == 0


def test_without_planned_time_there_is_no_share(feature: Feature) -> None:
    newcomer = """
        group | year_group | enrolled_on
        6a    | 6          | 2026-11-09
    """
    assert isnan(feature("absent_share_4w", as_of="2026-11-09", placements=newcomer))
    assert feature("weeks_of_history", as_of="2026-11-09", placements=newcomer) == 0


def test_last_school_year_is_apart_from_this_one(feature: Feature) -> None:
    table = """
        starts_at        | ends_at          | kind
        2026-06-01 08:30 | 2026-06-12 14:00 | sick
        2026-09-07 08:30 | 2026-09-07 14:00 | sick
    """
    assert feature("longest_run_previous_year", as_of="2026-11-09", absence=table) == 10
    assert feature("sick_days_this_year", as_of="2026-11-09", absence=table) == 1
    # September 2026 has four weeks that begin in it: 20 days of 300 minutes.
    assert feature("september_share", as_of="2026-11-09", absence=table) == pytest.approx(1 / 20)


class TestSickEpisodes:
    """An episode is an illness, however often it was reported."""

    def test_a_fresh_report_every_day_is_one_episode(self, feature: Feature) -> None:
        table = """
            starts_at        | ends_at          | kind
            2026-11-02 08:30 | 2026-11-02 14:00 | sick
            2026-11-03 08:30 | 2026-11-03 14:00 | sick
            2026-11-04 08:30 | 2026-11-04 14:00 | sick
            2026-11-05 08:30 | 2026-11-05 14:00 | sick
        """
        assert feature("sick_episodes_12w", as_of="2026-11-09", absence=table) == 1
        assert feature("mean_sick_episode_days_40w", as_of="2026-11-09", absence=table) == 4

    def test_friday_and_monday_are_one_episode(self, feature: Feature) -> None:
        table = """
            starts_at        | ends_at          | kind
            2026-10-30 08:30 | 2026-10-30 14:00 | sick
            2026-11-02 08:30 | 2026-11-02 14:00 | sick
        """
        assert feature("sick_episodes_12w", as_of="2026-11-09", absence=table) == 1

    def test_a_day_at_school_between_makes_two(self, feature: Feature) -> None:
        table = """
            starts_at        | ends_at          | kind
            2026-11-02 08:30 | 2026-11-02 14:00 | sick
            2026-11-04 08:30 | 2026-11-04 14:00 | sick
        """
        assert feature("sick_episodes_12w", as_of="2026-11-09", absence=table) == 2

    def test_a_holiday_week_between_makes_two(self, feature: Feature) -> None:
        table = """
            starts_at        | ends_at          | kind
            2026-10-16 08:30 | 2026-10-16 14:00 | sick
            2026-10-26 08:30 | 2026-10-26 14:00 | sick
        """
        assert feature("sick_episodes_12w", as_of="2026-11-09", absence=table) == 2

    def test_a_study_day_between_does_not_divide(self, feature: Feature) -> None:
        table = """
            starts_at        | ends_at          | kind
            2026-11-03 08:30 | 2026-11-03 14:00 | sick
            2026-11-05 08:30 | 2026-11-05 14:00 | sick
        """
        study_day = """
            date       | kind
            2026-11-04 | study_day
        """
        assert (
            feature("sick_episodes_12w", as_of="2026-11-09", absence=table, calendar=study_day) == 1
        )

    def test_over_ascension_day_it_is_one_and_with_a_study_day_after_it_two(
        self, feature: Feature
    ) -> None:
        # Thursday 14 and Friday 15 May 2026 are free everywhere.
        table = """
            starts_at        | ends_at          | kind
            2026-05-13 08:30 | 2026-05-13 14:00 | sick
            2026-05-18 08:30 | 2026-05-19 14:00 | sick
        """
        study_day = """
            date       | kind
            2026-05-18 | study_day
        """
        assert feature("sick_episodes_12w", as_of="2026-06-01", absence=table) == 1
        assert (
            feature("sick_episodes_12w", as_of="2026-06-01", absence=table, calendar=study_day) == 2
        )


class TestSickEpisodesOverHolidays:
    """Where the school says that its reports run on through a holiday."""

    RUN_ON = """
        episodes_over_holidays
        yes
    """
    BEFORE_AND_AFTER = """
        starts_at        | ends_at          | kind
        2026-10-16 08:30 | 2026-10-16 14:00 | sick
        2026-10-26 08:30 | 2026-10-26 14:00 | sick
    """

    def test_a_holiday_between_is_passed_over_like_a_week_end(self, feature: Feature) -> None:
        sick = self.BEFORE_AND_AFTER
        both = [
            feature(name, as_of="2026-11-09", absence=sick, schools=self.RUN_ON)
            for name in ("sick_episodes_12w", "mean_sick_episode_days_40w")
        ]
        assert both == [1, 2]

    def test_it_is_so_from_when_the_school_said_it_until_it_says_otherwise(
        self, feature: Feature
    ) -> None:
        schools = """
            known_at         | episodes_over_holidays
            2024-08-01 08:00 |
            2026-11-04 08:00 | yes
            2026-11-16 05:00 | no
        """
        sick = self.BEFORE_AND_AFTER
        assert {
            monday: feature("sick_episodes_12w", as_of=monday, absence=sick, schools=schools)
            for monday in ("2026-11-02", "2026-11-09", "2026-11-16", "2026-11-23")
        } == {"2026-11-02": 2, "2026-11-09": 1, "2026-11-16": 1, "2026-11-23": 2}

    def test_two_weeks_and_the_study_days_around_them_are_one_stretch(
        self, feature: Feature
    ) -> None:
        # The Christmas holiday is 19 December to 3 January.
        table = """
            starts_at        | ends_at          | kind
            2026-12-16 08:30 | 2026-12-16 14:00 | sick
            2027-01-05 08:30 | 2027-01-05 14:00 | sick
        """
        study_days = """
            date       | kind
            2026-12-17 | study_day
            2026-12-18 | study_day
            2027-01-04 | study_day
        """
        found = feature(
            "sick_episodes_12w",
            as_of="2027-01-11",
            absence=table,
            calendar=study_days,
            schools=self.RUN_ON,
        )
        assert found == 1

    def test_a_day_at_school_after_it_or_before_it_makes_two(self, feature: Feature) -> None:
        after = self.BEFORE_AND_AFTER.replace("10-26", "10-27")
        before = self.BEFORE_AND_AFTER.replace("10-16", "10-15")
        for sick in (after, before):
            found = feature(
                "sick_episodes_12w", as_of="2026-11-09", absence=sick, schools=self.RUN_ON
            )
            assert found == 2

    def test_a_week_without_any_registration_of_the_group_divides(self, feature: Feature) -> None:
        # The week before the holiday, and nobody knows whether the illness went on in it.
        placed = ["anna | 6a", *(f"mate {number} | 6a" for number in range(11))]
        placed += [f"other {number} | 6b" for number in range(12)]
        placements = "pupil_key | group | enrolled_on\n" + "\n".join(
            f"{row} | 2024-08-01" for row in placed
        )
        absence = "pupil_key | starts_at | ends_at | kind\n" + "\n".join(
            [f"anna | {day} 08:30 | {day} 14:00 | sick" for day in ("2026-10-09", "2026-10-26")]
            + [f"other {number} | 2026-10-13 08:40 | | late_arrival" for number in range(12)]
        )
        found = {
            name: feature(
                name,
                as_of="2026-11-02",
                placements=placements,
                absence=absence,
                schools=self.RUN_ON,
            )
            for name in ("unregistered_weeks_12w", "sick_episodes_12w")
        }
        assert found == {"unregistered_weeks_12w": 1, "sick_episodes_12w": 2}

    def test_the_summer_holiday_divides(self, feature: Feature) -> None:
        # It is 18 July to 30 August 2026.
        table = """
            starts_at        | ends_at          | kind
            2026-07-17 08:30 | 2026-07-17 14:00 | sick
            2026-08-31 08:30 | 2026-08-31 14:00 | sick
        """
        found = feature("sick_episodes_40w", as_of="2026-09-07", absence=table, schools=self.RUN_ON)
        assert found == 2


def test_runs_skip_week_ends_and_holidays(feature: Feature) -> None:
    table = """
        starts_at        | ends_at          | kind
        2026-10-15 08:30 | 2026-10-26 14:00 | sick
    """
    # Thursday and Friday before the holiday, Monday after it.
    assert feature("longest_run_12w", as_of="2026-11-09", absence=table) == 3
    assert feature("current_absence_run", as_of="2026-11-09", absence=table) == 0
    assert feature("weeks_since_full_week", as_of="2026-11-09", absence=table) == 0
    assert feature("weeks_since_full_week", as_of="2026-11-02", absence=table) == 2


def test_single_days_beside_a_week_end_or_holiday(feature: Feature) -> None:
    table = """
        starts_at        | ends_at          | kind
        2026-10-16 08:30 | 2026-10-16 14:00 | unverified
        2026-10-28 08:30 | 2026-10-28 14:00 | unverified
        2026-11-02 08:30 | 2026-11-03 14:00 | unverified
        2026-11-06 08:30 | 2026-11-06 14:00 | unverified
    """
    # The two days in a row are not single; the Wednesday is single but beside no free day.
    assert feature("one_day_absences_12w", as_of="2026-11-09", absence=table) == 3
    assert feature("edge_absences_12w", as_of="2026-11-09", absence=table) == 2


def test_fixed_weekday_and_first_hour(feature: Feature) -> None:
    table = """
        starts_at        | minutes | kind
        2026-09-28 08:30 |      50 | unauthorised
        2026-10-05 08:30 |      50 | unauthorised
        2026-10-12 09:30 |      50 | unauthorised
        2026-10-28 09:29 |      50 | unauthorised
    """
    # Three Mondays of four days; half past nine is no longer early.
    assert feature("weekday_concentration_12w", as_of="2026-11-09", absence=table) == 0.75
    assert feature("first_hour_share_12w", as_of="2026-11-09", absence=table) == 0.75


def test_late_arrivals_are_counted_and_cost_no_time(feature: Feature) -> None:
    table = """
        starts_at        | minutes | kind
        2026-10-13 08:40 |      10 | late_arrival
        2026-11-03 08:40 |      10 | late_arrival
        2026-11-03 12:40 |      10 | late_arrival
        2026-11-04 10:00 |      20 | sent_out
    """
    assert feature("late_arrivals_4w", as_of="2026-11-09", absence=table) == 3
    assert feature("sent_out_12w", as_of="2026-11-09", absence=table) == 1
    assert feature("absent_share_4w", as_of="2026-11-09", absence=table) == 0
    assert feature("kinds_mixed_12w", as_of="2026-11-09", absence=table) == 1


def test_a_flu_wave_in_the_group_is_nobodys_signal(feature: Feature) -> None:
    everyone = "\n".join(
        f"{key} | 2026-11-02 08:30 | 2026-11-03 14:00 | sick"
        for key in ("anna", *(f"classmate {number}" for number in range(1, 10)))
    )
    table = f"pupil_key | starts_at | ends_at | kind\n{everyone}"
    deviation = feature("group_deviation_4w", as_of="2026-11-09", absence=table, classmates=9)
    assert deviation == pytest.approx(0)


def test_a_group_under_nine_pupils_is_no_comparison(feature: Feature) -> None:
    assert isnan(feature("group_deviation_4w", as_of="2026-11-09", classmates=7))
    assert feature("group_deviation_4w", as_of="2026-11-09", classmates=8) == 0


def test_a_longest_run_of_sick_days_counts_days_that_were_partly_sick(feature: Feature) -> None:
    table = """
        starts_at        | ends_at          | kind
        2026-10-15 08:30 | 2026-10-16 14:00 | sick
        2026-10-26 08:30 | 2026-10-26 09:30 | sick
        2026-10-27 08:30 | 2026-10-27 14:00 | leave
        2026-10-28 08:30 | 2026-10-28 14:00 | sick
    """
    # Thursday and Friday before the holiday and an hour on the Monday after it.
    assert feature("longest_sick_run_12w", as_of="2026-11-09", absence=table) == 3


def test_a_slope_of_one_kind_leaves_the_others_out(feature: Feature) -> None:
    table = """
        starts_at        | ends_at          | kind
        2026-09-21 08:30 | 2026-09-24 14:00 | sick
        2026-11-02 08:30 | 2026-11-02 14:00 | sick
        2026-11-03 08:30 | 2026-11-04 14:00 | unauthorised
    """
    # 1 of 20 days after 4 of 40 days; since the summer there were 10 school weeks, and 2 before it.
    assert feature("sick_slope", as_of="2026-11-09", absence=table) == pytest.approx(
        1 / 20 - 4 / 40
    )
    assert feature("unauthorised_slope", as_of="2026-11-09", absence=table) == pytest.approx(2 / 20)


def test_the_pupil_is_no_classmate_of_its_own(feature: Feature) -> None:
    table = """
        pupil_key   | starts_at        | ends_at          | kind
        anna        | 2026-11-02 08:30 | 2026-11-06 14:00 | sick
        classmate 1 | 2026-11-02 08:30 | 2026-11-05 14:00 | sick
    """
    # Anna was away all week; of the eight others one was away four days of five.
    deviation = feature("group_deviation_1w", as_of="2026-11-09", absence=table, classmates=8)
    assert deviation == pytest.approx(1 - 0.8 / 8)
