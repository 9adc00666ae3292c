"""Support, school career and the quality of recording, by example."""

from collections.abc import Callable
from math import isnan

Feature = Callable[..., float]


def test_support_that_runs_and_support_that_ended(feature: Feature) -> None:
    table = """
        record_key | kind        | status  | starts_on  | ends_on    | known_at
        a          | opp         | running | 2026-02-02 | 2026-10-09 | 2026-02-02 10:00
        b          | arrangement | running | 2026-08-31 |            | 2026-08-31 10:00
    """
    assert feature("support_running", as_of="2026-10-05", support=table) == 2
    assert feature("support_running", as_of="2026-11-09", support=table) == 1
    # Something still runs: the support that ended has a successor.
    assert isnan(feature("weeks_since_support_ended", as_of="2026-11-09", support=table))


def test_support_that_ended_without_a_successor(feature: Feature) -> None:
    table = """
        kind | status  | starts_on  | ends_on
        opp  | running | 2026-02-02 | 2026-10-09
    """
    # School weeks that began since: 12 October, 26 October and 2 November.
    assert feature("weeks_since_support_ended", as_of="2026-11-09", support=table) == 3
    assert feature("weeks_since_support_ended", as_of="2026-10-12", support=table) == 0


def test_what_ended_long_ago_is_no_longer_said(feature: Feature) -> None:
    table = """
        kind        | status | starts_on  | ends_on
        opp         | done   | 2025-02-03 | 2025-09-19
        parent_talk | done   | 2025-09-17 |
    """
    assert feature("weeks_since_support_ended", as_of="2026-09-14", support=table) == 40
    assert feature("weeks_since_contact", as_of="2026-09-14", support=table) == 40
    assert isnan(feature("weeks_since_support_ended", as_of="2026-09-21", support=table))
    assert isnan(feature("weeks_since_contact", as_of="2026-09-21", support=table))


def test_a_request_waits_until_its_answer_is_known(feature: Feature) -> None:
    table = """
        record_key | kind        | status    | starts_on  | known_at
        a          | tlv_request | requested | 2026-09-14 | 2026-09-14 10:00
        a          | tlv_request | done      | 2026-09-14 | 2026-11-11 10:00
    """
    assert feature("tlv_waiting_weeks", as_of="2026-11-09", support=table) == 7
    assert feature("support_requested", as_of="2026-11-09", support=table) == 1
    assert isnan(feature("tlv_waiting_weeks", as_of="2026-11-16", support=table))


def test_talks_that_took_place(feature: Feature) -> None:
    table = """
        kind        | status    | starts_on
        parent_talk | done      | 2026-10-15
        parent_talk | planned   | 2026-11-05
        duo_report  | done      | 2026-09-10
        parent_talk | cancelled | 2026-11-02
    """
    assert feature("contacts_12w", as_of="2026-11-09", support=table) == 2
    assert feature("weeks_since_contact", as_of="2026-11-09", support=table) == 2
    assert feature("duo_reports_40w", as_of="2026-11-09", support=table) == 1


def test_placements_of_following_years_are_one_enrolment(feature: Feature) -> None:
    table = """
        pupil_key   | group | year_group | enrolled_on | left_on
        classmate 1 | 6a    | 8          | 2023-08-01  |
        anna        | 5a    | 5          | 2024-08-26  | 2025-07-18
        anna        | 6a    | 6          | 2025-09-01  | 2026-07-17
        anna        | 6a    | 7          | 2026-08-31  |
    """
    assert feature("weeks_since_enrolment", as_of="2026-11-09", placements=table) == 40
    assert feature("changed_school", as_of="2026-11-09", placements=table) == 0


def test_sixty_days_between_placements_are_a_summer_and_more_are_not(feature: Feature) -> None:
    def weeks(left_on: str) -> float:
        table = f"""
            pupil_key   | group | year_group | enrolled_on | left_on
            classmate 1 | 6a    | 8          | 2023-08-01  |
            anna        | 6a    | 5          | 2024-08-26  | {left_on}
            anna        | 6a    | 6          | 2026-08-31  |
        """
        return feature("weeks_since_enrolment", as_of="2026-11-09", placements=table)

    assert weeks("2026-07-01") == 40
    assert weeks("2026-06-30") == 9


def test_the_day_of_the_list_is_not_over_yet(feature: Feature) -> None:
    table = """
        kind        | status  | starts_on  | ends_on    | known_at
        opp         | running | 2026-02-02 | 2026-11-09 | 2026-02-02 10:00
        parent_talk | done    | 2026-11-09 |            | 2026-11-08 10:00
    """
    assert feature("support_running", as_of="2026-11-09", support=table) == 1
    assert feature("contacts_12w", as_of="2026-11-09", support=table) == 0
    done = table.replace("running", "done   ")
    assert isnan(feature("weeks_since_support_ended", as_of="2026-11-09", support=done))
    assert feature("weeks_since_support_ended", as_of="2026-11-16", support=done) == 1


def test_who_comes_in_the_middle_of_the_year_changed_school(feature: Feature) -> None:
    table = """
        pupil_key   | group | year_group | enrolled_on
        classmate 1 | 6a    | 6          | 2024-08-01
        anna        | 6a    | 6          | 2026-10-12
    """
    assert feature("changed_school", as_of="2026-11-09", placements=table) == 1
    assert feature("weeks_since_enrolment", as_of="2026-11-09", placements=table) == 3


def test_nobody_knows_since_when_the_first_pupils_were_there(feature: Feature) -> None:
    table = """
        group | year_group | enrolled_on
        6a    | 6          | 2026-08-01
    """
    assert isnan(feature("changed_school", as_of="2026-11-09", placements=table))
    assert isnan(feature("weeks_since_enrolment", as_of="2026-11-09", placements=table))


def test_the_first_year_after_primary_school(feature: Feature) -> None:
    table = """
        group | year_group | enrolled_on
        6a    | havo 1     | 2026-08-01
    """
    assert feature("transition_year", as_of="2026-11-09", placements=table, sector="vo") == 1
    assert feature("year_group_number", as_of="2026-11-09", placements=table, sector="vo") == 11
    assert feature("transition_year", as_of="2026-11-09", placements=table, sector="po") == 0


def test_late_and_corrected_records(feature: Feature) -> None:
    table = """
        record_key | starts_at        | ends_at          | kind         | known_at
        a          | 2026-10-27 08:30 | 2026-10-27 09:20 | unauthorised | 2026-10-27 10:00
        a          | 2026-10-27 08:30 | 2026-10-27 09:20 | sick         | 2026-10-29 10:00
        b          | 2026-10-26 08:30 | 2026-10-26 09:20 | unauthorised | 2026-11-05 10:00
        c          | 2026-11-02 08:30 |                  | sick         | 2026-11-02 10:00
        c          | 2026-11-02 08:30 | 2026-11-02 14:00 | sick         | 2026-11-03 10:00
        d          | 2026-11-03 08:30 | 2026-11-03 14:00 | sick         | 2026-11-03 10:00
    """
    # Only b was recorded more than a week later; closing the open report c is no correction.
    assert feature("late_recorded_share_12w", as_of="2026-11-09", absence=table) == 0.25
    assert feature("corrected_share_12w", as_of="2026-11-09", absence=table) == 0.25


def test_a_week_without_any_registration_of_the_group_is_not_presence(feature: Feature) -> None:
    placed = ["anna | 6a", *(f"mate {number} | 6a" for number in range(11))]
    placed += [f"other {number} | 6b" for number in range(12)]
    placements = "pupil_key | group | enrolled_on\n" + "\n".join(
        f"{row} | 2024-08-01" for row in placed
    )
    # Everyone was late in week 45 except in group 6a, of which nothing is registered at all.
    late = [f"other {number} | 2026-11-03 08:40 | late_arrival" for number in range(12)]
    ill = ["anna | 2026-10-27 08:30 | sick"]
    absence = "pupil_key | starts_at | kind\n" + "\n".join(late)
    assert feature("unregistered_weeks_12w", as_of="2026-11-09", placements=placements) == 0
    found = {
        name: feature(name, as_of="2026-11-09", placements=placements, absence=absence)
        for name in ("unregistered_weeks_12w", "planned_minutes_4w", "weeks_of_history")
    }
    assert found == {
        "unregistered_weeks_12w": 1,
        "planned_minutes_4w": 15 * 300,
        "weeks_of_history": 40,
    }
    # With 3 of 12 others registered, nothing about 12 pupils happens by chance: 0.75 ** 12 > 0.01.
    for others, expected in ((3, 0), (4, 1)):
        few = "pupil_key | starts_at | kind\n" + "\n".join(late[:others])
        assert expected == feature(
            "unregistered_weeks_12w", as_of="2026-11-09", placements=placements, absence=few
        )
    # Who is known to be at home that week stays counted.
    absence += "\n" + "\n".join(ill)
    whole = feature(
        "planned_minutes_4w", as_of="2026-11-09", placements=placements, absence=absence
    )
    assert whole == 20 * 300


def test_the_longest_waiting_request_counts_and_what_runs_does_not_wait(feature: Feature) -> None:
    table = """
        record_key | kind         | status    | starts_on
        a          | arrangement  | requested | 2026-10-05
        b          | tlv_request  | requested | 2026-10-26
        c          | support_plan | running   | 2026-09-07
        d          | youth_care   | planned   | 2026-11-30
    """
    # Weeks 41, 42, 44 and 45; the holiday is no school week.
    assert feature("support_waiting_weeks", as_of="2026-11-09", support=table) == 4


def test_the_same_year_group_again(feature: Feature) -> None:
    again = """
        group | year_group | enrolled_on | left_on
        6b    | 6          | 2025-08-01  | 2026-07-31
        6a    | 6          | 2026-08-01  |
    """
    onward = again.replace("6b    | 6", "6b    | 5")
    newcomer = """
        group | year_group | enrolled_on
        6a    | 6          | 2026-08-01
    """
    assert feature("repeats_year", as_of="2026-11-09", placements=again) == 1
    assert feature("repeats_year", as_of="2026-11-09", placements=onward) == 0
    assert isnan(feature("repeats_year", as_of="2026-11-09", placements=newcomer))
