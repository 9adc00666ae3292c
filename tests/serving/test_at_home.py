"""Al in beeld: since when, which clocks run, who is in charge; and how days become spells."""

from collections.abc import Mapping
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.absence import DayGrid, counted_minutes, onset_flags, pack
from features.governance.audit import AuditChain
from features.governance.database import open_ledger
from features.school_weeks import SchoolWeeks
from features.vocabulary import AbsenceKind, PupilKey
from serving.at_home import current_spells, long_spells, month_counts
from serving.beside import Place, SideRow
from serving.home_desk import HomeView
from serving.identity import PupilName
from serving.web.home_pages import reminders
from tests.serving.invented_school import IB, SCHOOL, InventedSchool
from tests.serving.page_rules import Element, parse
from tests.serving.visitors import Browser, Clock, Visit

HOME = f"/al-in-beeld/{SCHOOL}"
FIRST = date(2026, 8, 31)  # a Monday
ANNA = PupilKey("p1anna")


def grid(weeks: str, kind: AbsenceKind = AbsenceKind.SICK) -> DayGrid:
    """Days of one pupil, a character each: a absent, h half, k less than half, . here, - no school.

    Weeks are five characters, apart; the week-ends are added.
    """
    days = "".join(f"{week:-<5}--" for week in weeks.split())
    planned = np.array([[0 if day == "-" else 300 for day in days]], np.int16)
    missed = {"a": 300, "h": 150, "k": 149}
    minutes = np.array([[missed.get(day, 0) for day in days]], np.int16)
    school_days = planned[0] > 0
    empty = np.zeros_like(planned)
    table: Mapping[AbsenceKind, np.ndarray] = {kind: minutes}
    return DayGrid(
        [ANNA], FIRST, planned, table, empty, empty, empty, ("7b",), SchoolWeeks(FIRST, school_days)
    )


def monday(weeks: int) -> date:
    return FIRST + timedelta(weeks=weeks)


def test_a_spell_counts_planned_days_and_steps_over_a_holiday() -> None:
    days = grid("..aaa aaaaa ----- aahaa ..... ..... ..... .....")
    spell = current_spells(days, monday(4), [ANNA])[ANNA]
    assert (spell.since, spell.school_days) == (date(2026, 9, 2), 13)
    assert spell.over_holiday
    assert spell.four_weeks_on == date(2026, 10, 6), "the 20th school day, seven after the Monday"
    assert spell.three_months_on == date(2026, 12, 2)


@pytest.mark.parametrize("tried", [".", "k"])
def test_a_tried_day_does_not_set_the_clocks_back(tried: str) -> None:
    days = grid(f"aaaaa aa{tried}aa .....")
    spell = current_spells(days, monday(2), [ANNA])[ANNA]
    assert (spell.since, spell.school_days, spell.days_at_school) == (FIRST, 9, 1)
    assert spell.three_months_on == date(2026, 11, 30)


def test_an_absence_from_before_weeks_at_school_is_another() -> None:
    days = grid("aaaaa ..... ..... aaaaa aaaaa .....")
    spell = current_spells(days, monday(5), [ANNA])[ANNA]
    assert (spell.since, spell.school_days, spell.days_at_school) == (monday(3), 10, 0)


def test_who_was_at_school_on_the_last_day_has_no_absence_that_goes_on() -> None:
    assert not current_spells(grid("aaaaa aaaa."), monday(2), [ANNA])


def test_a_long_absence_that_goes_on_begins_where_the_long_one_began() -> None:
    """Over 20 planned days back nothing of the start is seen; the run is still one."""
    days = grid("aa.aa aaaaa aaaaa ----- aaaaa a.aaa aaaaa aaaaa .....")
    spell = current_spells(days, monday(8), [ANNA])[ANNA]
    assert (spell.since, spell.school_days, spell.days_at_school) == (FIRST, 33, 2)
    assert [one.since for one in long_spells(days, monday(8))] == [FIRST]


def test_granted_leave_is_no_absence_here_as_it_is_none_in_the_label() -> None:
    days = grid("aaaaa aaaaa aaaaa aaaaa", AbsenceKind.LEAVE)
    assert not current_spells(days, monday(4), [ANNA])
    assert not list(long_spells(days, monday(4)))


def test_what_is_announced_for_later_is_not_counted() -> None:
    assert current_spells(grid("aaaaa aaaaa"), monday(1), [ANNA])[ANNA].school_days == 5


def test_who_leaves_while_at_home_did_not_come_back() -> None:
    (spell,) = long_spells(grid("aaaaa aaaaa aaaaa aaaaa aa--- -----"), monday(5))
    assert (spell.left_on, spell.back_on) == (date(2026, 9, 29), None)
    assert spell.ended_on == date(2026, 9, 30)


def test_months_count_one_definition_and_add_up() -> None:
    """Absent from 31 August to 6 October: long from 25 September, back in October."""
    days = grid("aaaaa aaaaa aaaaa aaaaa aaaaa aa... ..... ..... .....")
    counts = {one.month.month: one for one in month_counts(days, monday(9), date(2026, 8, 1))}
    found = {
        month: (one.over_four_weeks, one.over_three_months, one.began, one.returned, one.left)
        for month, one in counts.items()
    }
    nothing = (0, 0, 0, 0, 0)
    assert found == {8: nothing, 9: (1, 0, 1, 0, 0), 10: (0, 0, 0, 1, 0), 11: nothing}
    assert counts[9].pupils == 1


def test_a_tried_day_makes_no_second_absence_and_a_month_back_at_school_does() -> None:
    one = grid("aaaaa aaaaa aaaaa aaaaa a.aaa aaaaa aaaaa aaaaa aaaaa .....")
    apart = grid("aaaaa aaaaa aaaaa aaaaa ..... ..... ..... ..... ..... aaaaa aaaaa aaaaa aaaaa")
    for days, weeks, began in ((one, 10, 1), (apart, 13, 2)):
        counts = month_counts(days, monday(weeks), date(2026, 8, 1))
        assert sum(month.began for month in counts) == began


@given(st.lists(st.sampled_from("aaaaaaaa.k-"), min_size=30, max_size=120))
@settings(max_examples=200, deadline=None)
def test_months_add_up_and_count_every_onset_once(days: list[str]) -> None:
    text = "".join(days)
    pupil = grid(" ".join(text[at : at + 5] for at in range(0, len(text), 5)))
    weeks = -(-len(text) // 5)
    counts = month_counts(pupil, monday(weeks), date(2026, 8, 1))
    assert sum(one.began for one in counts) == onset_flags(pack(*counted_minutes(pupil))).sum()
    stocks = [one.over_four_weeks + one.over_three_months for one in counts]
    for before, stock, month in zip([0, *stocks], stocks, counts, strict=False):
        assert stock == before + month.began - month.returned - month.left


def pairs(page: Element, name: str) -> dict[str, str]:
    """What stands about one pupil."""
    card = next(item for item in page.all("li") if item.all("h2", "h3") and name in item.text)
    heads, values = card.all("dt"), card.all("dd")
    return {head.text: value.text for head, value in zip(heads, values, strict=True)}


def test_the_page_has_since_when_the_clocks_and_who_is_in_charge(visit: Visit) -> None:
    page = parse(visit(IB).get(HOME).text)
    assert pairs(page, "Milan Peeters") == {
        "Niet op school sinds": "29 oktober 2026, 12 schooldagen",
        "Geregistreerd als": "ziek",
        "Vier weken": "! op 25 nov 2026, over 9 dagen",
        "Drie maanden": "op 29 jan 2027, over 74 dagen",
        "Loopt al": "niets vastgelegd",
        "Laatste contact": "5 nov 2026",
        "Laatste besluit": "nog geen",
        "Wie regelt het": "nog niemand",
        "Aanbod": "niet vastgelegd",
    }
    assert pairs(page, "Fenna van Dijk")["Drie maanden"] == "voorbij sinds 6 okt 2026"
    assert pairs(page, "Ruben Kok")["Volgende school"] == "niet bekend"
    assert "Vier weken thuis: Milan Peeters, op 25 nov 2026, over 9 dagen." in page.text


@pytest.mark.parametrize(("days", "reminded"), [(-6, False), (-5, True), (9, True), (10, False)])
def test_a_reminder_stands_from_two_weeks_before_until_the_day(
    visit: Visit, clock: Clock, days: int, reminded: bool
) -> None:
    client = visit(IB)
    clock.now += timedelta(days=days)
    client = visit(IB)
    text = parse(client.get(HOME).text).text
    assert ("Vier weken thuis: Milan Peeters" in text) is reminded


def enter(client: Browser, school: InventedSchool, number: int, **entry: str):  # type: ignore[no-untyped-def]
    token = client.get(HOME).text.split('name="form_token" value="')[1].split('"')[0]
    row_id = school.row_id(school.pupils[number])
    return client.post(f"/al-in-beeld/rij/{row_id}", data={"form_token": token} | entry)


def test_who_is_in_charge_is_entered_and_stays(visit: Visit, school: InventedSchool) -> None:
    client = visit(IB)
    answer = enter(client, school, 6, in_charge="jeugdarts en mentor", offer="talked_about")
    assert answer.status_code == 303
    page = parse(client.get(answer.headers["location"].split("#")[0]).text)
    assert "Bewaard voor Milan Peeters." in page.text
    milan = pairs(page, "Milan Peeters")
    assert milan["Wie regelt het"] == "jeugdarts en mentor"
    assert milan["Aanbod"].startswith("Er wordt over een aanbod gesproken 16 nov 2026")
    chain = AuditChain(open_ledger(school.home))
    (row,) = chain.rows(event="care_entered")
    assert row in chain.rows(subject=school.pupils[6].key)
    assert row.detail["offer"] == "talked_about"


def test_a_wrong_entry_is_told_and_nothing_typed_is_lost(
    visit: Visit, school: InventedSchool
) -> None:
    answer = enter(visit(IB), school, 6, in_charge="ria@school.example", offer="partly")
    assert answer.status_code == 422
    page = parse(answer.text)
    row_id = school.row_id(school.pupils[6])
    assert page.by_id(f"wie-{row_id}").attributes["value"] == "ria@school.example"
    assert "Vul hier alleen een naam of functie in." in page.by_id(f"zorg-{row_id}").text


def test_a_leaver_whose_next_school_is_known_is_no_longer_out_of_sight(
    visit: Visit, school: InventedSchool
) -> None:
    client = visit(IB)
    assert enter(client, school, 8, offer="next_school_known").status_code == 303
    assert "Ruben Kok" not in parse(client.get(HOME).text).text


def test_the_clock_that_runs_out_first_is_told_first() -> None:
    today = date(2026, 11, 16)
    rows = [
        SideRow(SCHOOL, today, PupilKey(key), Place.AT_HOME, "1a", four_weeks_on=clock)
        for key, clock in (("a", date(2026, 11, 25)), ("b", today), ("c", date(2026, 12, 1)))
    ]
    view = HomeView(
        school=SCHOOL,
        school_name="",
        as_of=today,
        data_until=today,
        at_home=tuple(rows),
        out_of_sight=(),
        names={row.pupil_key: PupilName(row.pupil_key, (row.pupil_key, "")) for row in rows},
        entries={},
        decisions={},
    )
    told = reminders(view, today)
    assert [line.split(",")[0] for line in told] == ["Vier weken thuis: b", "Vier weken thuis: a"]
