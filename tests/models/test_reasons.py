"""Reasons: facts with dates, every figure counted from the records, no cause and no label."""

import itertools
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from features.build import build_partition
from features.catalogue import CATALOGUE, feature
from features.errors import NotThere
from features.records.schema import LogTable
from features.vocabulary import AbsenceKind, PupilKey, SupportKind, SupportStatus, Theme
from models import circumstances
from models.absence_facts import MEASURES
from models.evidence import Evidence, SchoolRecords
from tests.models.invented_records import MONDAY, SCHOOL, School, lively_school

FIGURE = re.compile(r"\d+(?:,\d+)?")
ALL_MEASURES = [measure for measures in MEASURES.values() for measure in measures]


@pytest.fixture
def school() -> School:
    return School()


def days(*texts: str) -> list[date]:
    return [date.fromisoformat(f"2026-{text}") for text in texts]


# --- agreement with the features -------------------------------------------------------------


def test_every_figure_agrees_with_the_feature_of_that_name() -> None:
    positive = set()
    mondays = (MONDAY, date(2026, 9, 7), date(2026, 3, 2))
    for seed, monday in itertools.product((1, 2, 3), mondays):
        tables = lively_school(seed, over_holidays=seed == 3).tables()
        records = SchoolRecords(tables, SCHOOL, monday)
        for row in build_partition(tables, [monday]).to_pylist():
            days = records.of(row["pupil_key"]).days
            for measure in ALL_MEASURES:
                counted = np.float32(measure.value(days)[0])
                assert same(counted, row[measure.feature]), (measure.feature, monday)
                if counted > 0:
                    positive.add(measure.feature)
                name = feature(measure.feature).other
                if name is not None:
                    assert measure.before is not None
                    assert same(measure.before(days)[0], row[name])
    assert positive == {measure.feature for measure in ALL_MEASURES}, "some are never tried"


def test_sick_episodes_over_holidays_are_told_as_the_feature_counts_them() -> None:
    """The last day before the autumn holiday (17 to 25 October) and the first one after it."""
    said = {}
    for over_holidays in (None, True):
        school = School(over_holidays=over_holidays)
        for day in days("09-01", "09-10", "09-18", "10-16", "10-26", "11-05"):
            school.absent("pupil-00", day)
        tables = school.tables()
        measured = SchoolRecords(tables, SCHOOL, MONDAY).of(PupilKey("pupil-00")).days
        [measure] = [one for one in ALL_MEASURES if one.feature == "sick_episodes_12w"]
        rows = {row["pupil_key"]: row for row in build_partition(tables, [MONDAY]).to_pylist()}
        assert measure.value(measured)[0] == rows["pupil-00"]["sick_episodes_12w"]
        said[over_holidays] = school.explain(absence=1.0).reasons[0]
    assert "6 ziekteperioden" in said[None].sentence
    assert "5 ziekteperioden" in said[True].sentence
    assert said[None].evidence == said[True].evidence


def same(counted: Any, wanted: Any) -> bool:
    return bool(np.array_equal(np.float32(counted), np.float32(wanted), equal_nan=True))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_figures_of_classmates_are_those_of_their_own_rows(seed: int) -> None:
    school = lively_school(seed)
    tables = school.tables()
    rows = {row["pupil_key"]: row for row in build_partition(tables, [MONDAY]).to_pylist()}
    days = SchoolRecords(tables, SCHOOL, MONDAY).of(PupilKey("pupil-03")).days
    order = ["pupil-03", *sorted(set(rows) - {"pupil-03"})]
    for measure in ALL_MEASURES:
        wanted = [rows[key][measure.feature] for key in order]
        assert np.array_equal(
            measure.value(days).astype(np.float32), np.array(wanted, np.float32), equal_nan=True
        )


def test_a_trifle_is_no_reason(school: School) -> None:
    for day in days("09-01", "09-10", "09-18"):  # a Tuesday, Thursday, Friday
        school.absent("pupil-00", day, AbsenceKind.UNVERIFIED, 50)
    school.absent("pupil-00", date(2026, 3, 3))
    assert [reason.theme for reason in school.explain(pattern=1.0, absence=1.0).reasons] == []


@pytest.mark.parametrize("seed", range(4))
def test_figures_in_sentences_come_from_the_evidence_under_them(seed: int) -> None:
    told = 0
    everyone = lively_school(seed).explain_all(absence=1.0, unauthorised=0.9, pattern=0.8)
    for explained in everyone.values():
        for reason in explained.reasons:
            for figure in figures_to_check(reason.sentence):
                assert figure in countable(reason.evidence, reason.sentence), reason.sentence
                told += 1
    assert told > 20


def figures_to_check(sentence: str) -> list[str]:
    """The figures of a sentence that are counts of days or times, without those of its period."""
    plain = re.sub(r" \(sinds [^)]*\)", "", sentence)
    # What lies before the window is in the calendar; only of four weeks are the days given too.
    plain = re.sub(r"; in de \d+ schoolweken daarvoor [\d,]+ ?%?\.", "", plain)
    plain = re.sub(r"(laatste|de) \d+ (schoolweken|daarvoor)", "", plain)
    plain = re.sub(r"\(meldgrens: 16 uur\)", "", plain)
    return [figure for figure in FIGURE.findall(plain) if "%" not in plain]


def countable(evidence: tuple[Evidence, ...], sentence: str) -> set[str]:
    """Every number that can be counted from the lines under a reason, one way or another."""
    numbers: set[float] = {0.0}
    by_label: dict[str, list[Evidence]] = {}
    for line in evidence:
        by_label.setdefault(line.label, []).append(line)
    all_days = sorted({line.day for line in evidence})
    for lines in (list(evidence), *by_label.values()):
        dates = sorted({line.day for line in lines})
        for first, last in itertools.combinations_with_replacement(range(len(dates) + 1), 2):
            numbers.add(last - first)
        times = [int(line.detail.split()[0]) for line in lines if " keer" in line.detail]
        numbers |= {float(sum(times[:end])) for end in range(len(times) + 1)}
    minutes = 0
    for line in evidence:
        if "ongeoorloofd" in line.label or "vakantie" in line.label:
            found = re.match(r"(\d+) minu", line.detail)
            minutes += int(found[1]) if found else 300
    runs = [re.match(r"(\d+) schooldag", line.detail) for line in evidence]
    in_runs = sum(int(run[1]) for run in runs if run)
    numbers |= {minutes / 60, float(len(all_days)), float(in_runs)}
    texts = {f"{round(number, 1):.1f}".replace(".0", "").replace(".", ",") for number in numbers}
    return texts


# --- what is told ----------------------------------------------------------------------------


def test_days_with_their_earlier_period_and_the_classmates(school: School) -> None:
    for day in days("11-03", "11-04", "11-10", "11-11", "11-12", "11-13", "09-15"):
        school.absent("pupil-00", day)
    reason = school.explain(absence=1.0).reasons[0]
    assert reason.theme is Theme.ABSENCE
    assert reason.sentence == (
        "In de laatste 4 schoolweken 6 dagen afwezig; in de 8 schoolweken daarvoor 1 dag. "
        "Nu 4 schooldagen op rij (deels) afwezig."
    )
    assert Evidence(date(2026, 11, 13), "ziek", "hele dag") == reason.evidence[0]
    assert Evidence(date(2026, 9, 15), "ziek", "hele dag") == reason.evidence[-1]
    assert len(reason.evidence) == 7
    assert reason.comparison == (
        "Dagen afwezig, de laatste 4 schoolweken: meer dan alle 13 klasgenoten."
    )


def test_lessons_are_counted_as_lessons(school: School) -> None:
    for at in ("08:30", "09:20"):
        school.absent("pupil-00", date(2026, 11, 3), AbsenceKind.UNAUTHORISED, 50, at)
    school.absent("pupil-00", date(2026, 11, 5), AbsenceKind.UNAUTHORISED, 50)
    school.absent("pupil-00", date(2026, 11, 6), AbsenceKind.UNAUTHORISED, 210)
    reason = school.explain(unauthorised=1.0).reasons[0]
    details = {(line.day.day, line.label, line.detail) for line in reason.evidence}
    assert (3, "ongeoorloofd afwezig", "100 minuten (2 lessen)") in details
    assert (5, "ongeoorloofd afwezig", "50 minuten (1 les)") in details
    assert (6, "ongeoorloofd afwezig", "210 minuten") in details


def test_a_pupil_who_has_just_arrived_has_no_earlier_period(school: School) -> None:
    school.enrol("newcomer", date(2026, 10, 26))
    for day in days("11-03", "11-05", "11-10"):
        school.absent("newcomer", day)
    explained = school.explain("newcomer", absence=1.0, career=0.5)
    assert explained.reasons[0].sentence == "In de laatste 4 schoolweken 3 dagen afwezig."
    assert explained.reasons[1].sentence == "Sinds 26 oktober op deze school."
    assert explained.reasons[1].evidence == (
        Evidence(date(2026, 10, 26), "ingeschreven", "van een andere school gekomen"),
    )


def test_late_arrivals_are_counted(school: School) -> None:
    for day in days("11-02", "11-04", "11-09", "11-12"):
        school.absent("pupil-00", day, AbsenceKind.LATE_ARRIVAL, 10)
    reason = school.explain(pattern=1.0).reasons[0]
    assert reason.sentence == (
        "In de laatste 4 schoolweken 4 keer te laat; in de 8 schoolweken daarvoor 0."
    )
    assert reason.evidence[0] == Evidence(date(2026, 11, 12), "te laat", "1 keer")
    assert len(reason.evidence) == 4


def test_last_year_is_told_beside_this_year_and_in_runs(school: School) -> None:
    for day in days("03-03", "03-04", "03-05", "03-06", "03-09", "03-10", "03-11", "04-14"):
        school.absent("pupil-00", day)
    assert school.explain(absence=1.0).reasons == (), "nothing stands out this year"
    for day in days("11-03", "11-05", "11-10"):
        school.absent("pupil-00", day)
    reason = school.explain(absence=1.0).reasons[0]
    assert reason.sentence == (
        "In de laatste 4 schoolweken 3 dagen afwezig; in de 8 schoolweken daarvoor 0 dagen. "
        "Vorig schooljaar was de langste reeks 7 schooldagen op rij afwezig."
    )
    assert Evidence(
        date(2026, 3, 3), "ziek", "7 schooldagen, tot en met 11 maart 2026"
    ) in reason.evidence  # fmt: skip


def test_a_theme_without_records_gives_no_reason(school: School) -> None:
    explained = school.explain(absence=3.0, pattern=2.0, unauthorised=1.0, support=1.0)
    assert explained.reasons == ()


def test_at_most_three_reasons_in_the_order_of_their_parts(school: School) -> None:
    school.absent("pupil-00", date(2026, 11, 3))
    for day in days("11-05", "11-06"):
        school.absent("pupil-00", day, AbsenceKind.UNAUTHORISED)
    for day in days("11-04", "11-09"):
        school.absent("pupil-00", day, AbsenceKind.LATE_ARRIVAL, 10)
    school.support("pupil-00", SupportKind.TLV_REQUEST, SupportStatus.REQUESTED, date(2026, 9, 12))
    explained = school.explain(support=4.0, unauthorised=3.0, absence=2.0, pattern=1.5, career=-1.0)
    themes = [reason.theme for reason in explained.reasons]
    assert themes == [Theme.SUPPORT, Theme.UNAUTHORISED, Theme.ABSENCE]
    assert school.explain(absence=5.0, pattern=0.1).reasons[1:] == (), "noise is no reason"
    assert school.explain(absence=-1.0).reasons == ()


def test_what_does_not_stand_alone_is_told_beside_what_does(school: School) -> None:
    school.enrol("newcomer", date(2026, 9, 28))
    assert school.explain("newcomer", career=9.0).reasons == ()
    for day in days("11-03", "11-05"):
        school.absent("newcomer", day)
    assert school.explain("newcomer", career=9.0, absence=3.0).reasons == (), "two single days"
    school.absent("newcomer", date(2026, 11, 10))
    themes = [
        reason.theme for reason in school.explain("newcomer", career=9.0, absence=1.0).reasons
    ]
    assert themes == [Theme.ABSENCE, Theme.CAREER]
    themes = [
        reason.theme for reason in school.explain("newcomer", career=9.0, absence=0.5).reasons
    ]
    assert themes == [], "the absence hardly raised the score"


def test_a_fixed_weekday_is_told_in_days(school: School) -> None:
    for day in days("09-07", "09-21", "10-05", "11-02", "11-05"):
        school.absent("pupil-00", day)
    assert school.explain(pattern=1.0).reasons == ()
    reason = school.explain(pattern=1.0, absence=0.5).reasons[1]
    assert reason.sentence == (
        "In de laatste 12 schoolweken (sinds 6 juli 2026) vielen 4 van de 5 dagen met afwezigheid "
        "op een maandag."
    )
    assert [line.day.weekday() for line in reason.evidence] == [0, 0, 0, 0]


def test_the_pupils_own_earlier_period_stands_beside_the_figure(school: School) -> None:
    for day in days("09-01", "09-14", "10-01", "11-02", "04-15", "05-12"):
        school.absent("pupil-00", day)
    for day in days("09-01", "09-14", "10-01", "11-02"):  # here only since this school year
        school.absent("pupil-01", day)
    told = school.explain(absence=1.0).reasons[0].sentence
    assert told.startswith(
        "In de laatste 12 schoolweken (sinds 6 juli 2026) 4 ziekteperioden; "
        "in de 12 schoolweken daarvoor 2."
    )
    newer = School(first_year=2026)
    for day in days("09-01", "09-14", "10-01", "11-02"):
        newer.absent("pupil-00", day)
    told = newer.explain(absence=1.0).reasons[0].sentence
    assert told.startswith("In de laatste 12 schoolweken (sinds 6 juli 2026) 4 ziekteperioden. ")


def test_what_becomes_known_later_changes_nothing(school: School) -> None:
    for day in days("11-03", "11-05"):
        school.absent("pupil-00", day)
    before = school.explain(absence=1.0, pattern=1.0)
    known_at = datetime(2026, 11, 16, 5, tzinfo=UTC)  # the very moment: not before it
    school.absent("pupil-00", date(2026, 11, 10), known_at=known_at)
    school.absent("pupil-01", date(2026, 11, 10), known_at=known_at)
    assert school.explain(absence=1.0, pattern=1.0) == before
    just_before = known_at - timedelta(microseconds=1)
    school.absent("pupil-00", date(2026, 11, 11), known_at=just_before)
    assert school.explain(absence=1.0, pattern=1.0) != before


def test_a_pupil_who_is_not_there_cannot_be_explained(school: School) -> None:
    with pytest.raises(NotThere) as refusal:
        SchoolRecords(school.tables(), SCHOOL, MONDAY).of(PupilKey("nobody"))
    assert "nobody" not in str(refusal.value)


def test_fewer_than_ten_classmates_are_not_compared_with() -> None:
    small = School(pupils=10)
    for day in days("11-03", "11-05", "11-10"):
        small.absent("pupil-00", day)
    assert small.explain(absence=1.0).reasons[0].comparison == ""


# --- support and what speaks against ---------------------------------------------------------


def test_running_support_is_shown_and_never_a_reason(school: School) -> None:
    school.support("pupil-00", SupportKind.OPP, SupportStatus.RUNNING, date(2026, 9, 1))
    school.support("pupil-00", SupportKind.ARRANGEMENT, SupportStatus.REQUESTED, date(2026, 11, 2))
    explained = school.explain(support=5.0)
    assert explained.support == (
        "Ondersteuning loopt: ontwikkelingsperspectief (OPP), sinds 1 september.",
        "Aangevraagd: arrangement, op 2 november.",
    )
    assert explained.reasons == ()


def test_support_that_ended_without_a_next_step(school: School) -> None:
    school.support(
        "pupil-00",
        SupportKind.SUPPORT_PLAN,
        SupportStatus.DONE,
        date(2026, 1, 12),
        date(2026, 7, 3),
    )
    reason = school.explain(support=1.0).reasons[0]
    assert reason.sentence == (
        "Ondersteuning geëindigd op 3 juli 2026: handelingsplan. Er is geen vervolg vastgelegd."
    )
    assert reason.evidence == (Evidence(date(2026, 7, 3), "handelingsplan", "geëindigd"),)
    school.support("pupil-00", SupportKind.ARRANGEMENT, SupportStatus.PLANNED, None)
    assert school.explain(support=1.0).reasons == ()


def test_support_facts_hold_exactly_when_the_features_say_so() -> None:
    seen = set()
    for seed in range(6):
        school = lively_school(seed)
        tables = school.tables()
        records = SchoolRecords(tables, SCHOOL, MONDAY)
        for row in build_partition(tables, [MONDAY]).to_pylist():
            facts = {
                fact.family: fact
                for fact in circumstances.support_facts(records.of(row["pupil_key"]), row)
            }
            assert ("waiting" in facts) == (row["tlv_waiting_weeks"] >= 0)
            ended = row["weeks_since_support_ended"] >= 0 and row["support_requested"] == 0
            assert ("ended" in facts) == ended
            assert ("reported" in facts) == (row["duo_reports_40w"] > 0)
            if "reported" in facts:
                assert len(facts["reported"].evidence) == row["duo_reports_40w"]
            seen |= set(facts)
    assert seen == {"waiting", "ended", "reported"}


def test_what_speaks_against_a_signal(school: School) -> None:
    school.absent("pupil-00", date(2026, 10, 1))
    school.support("pupil-00", SupportKind.PARENT_TALK, SupportStatus.DONE, date(2026, 9, 22))
    school.support("pupil-00", SupportKind.PARENT_TALK, SupportStatus.DONE, date(2026, 11, 3))
    school.support("pupil-00", SupportKind.PARENT_TALK, SupportStatus.PLANNED, date(2026, 11, 24))
    for day in days("10-26", "11-02", "11-09"):  # others are registered
        school.absent("pupil-05", day)
    assert school.explain(absence=1.0).counter_evidence == (
        "In de laatste 5 schoolweken volledig aanwezig.",
        "Op 3 november is met ouders gesproken.",
        "In de laatste 12 schoolweken geen ongeoorloofde afwezigheid vastgelegd.",
    )


def test_full_weeks_are_counted_up_to_twelve(school: School) -> None:
    for week in range(40):  # somebody else is always registered as absent
        school.absent("pupil-05", date(2026, 2, 2) + timedelta(weeks=week))
    assert school.explain().counter_evidence == ("In de laatste 12 schoolweken volledig aanwezig.",)


def test_a_week_that_nobody_registered_is_not_presence() -> None:
    school = School(pupils=30)
    other = [f"other-{at:02}" for at in range(30)]
    for pupil in other:
        school.add(
            LogTable.PLACEMENTS, pupil_key=pupil, year_group="2", group="2c",
            born_on=date(2013, 5, 1), enrolled_on=date(2025, 8, 1),
        )  # fmt: skip
    for weekday in range(1, 6):
        school.add(
            LogTable.TIMETABLE, group="2c", weekday=weekday,
            valid_from=date(2020, 8, 1), planned_minutes=300,
        )  # fmt: skip
    for week in range(10):
        monday = date(2026, 9, 7) + timedelta(weeks=week)
        for at, pupil in enumerate(other):
            school.absent(pupil, monday + timedelta(days=at % 5))
        if week != 9:  # group 2b: nothing at all in the last week
            for at in range(1, 30):
                school.absent(f"pupil-{at:02}", monday + timedelta(days=at % 5))
    assert not [line for line in school.explain(absence=1.0).counter_evidence if "volledig" in line]


# --- words -----------------------------------------------------------------------------------

CAUSES = re.compile(r"\b(door|doordat|omdat|want|veroorzaak\w*|vanwege|wegens|komt van)\b", re.I)
BANNED = re.compile(
    r"thuiszitter|risico|spijbel|schoolweiger|probleemgezin|kans|waarschijnlijk|score|\brang", re.I
)


def test_no_cause_no_label_and_nothing_unfinished_in_any_text() -> None:
    texts: set[str] = set()
    for seed in range(4):
        everyone = lively_school(seed).explain_all(
            absence=1.0, unauthorised=0.9, pattern=0.8, support=0.7, career=0.6
        )
        for explained in everyone.values():
            texts |= set(explained.counter_evidence) | set(explained.support)
            for reason in explained.reasons:
                texts |= {reason.sentence, reason.comparison, reason.theme.label}
                texts |= {line.detail for line in reason.evidence}
                texts |= {line.label for line in reason.evidence}
    assert len(texts) > 60
    for text in texts:
        assert not CAUSES.search(text) and not BANNED.search(text), text
        assert not re.search(r"nan|None|onbekend|\{|\}|\b0 (dagen|keer|uur)\b(?! dag)", text) or (
            "daarvoor 0 dagen" in text
        ), text
        assert not re.search(r"\b1 (dagen|schooldagen|minuten|lessen|schoolweken)\b", text), text


def test_the_sentences_of_the_catalogue_state_no_cause_either() -> None:
    for found in CATALOGUE:
        assert not CAUSES.search(found.sentence_nl) and not BANNED.search(found.sentence_nl)


def test_a_second_fact_is_of_another_family(school: School) -> None:
    """Eleven days in twelve weeks are told by the five of the last four; single days are other."""
    recent = days("11-12", "11-10", "11-05", "11-03", "10-29")
    before = days("10-08", "10-06", "10-01", "09-29", "09-24", "09-22")
    for day in (*recent, *before):
        school.absent("pupil-00", day, AbsenceKind.MEDICAL_VISIT)
    assert school.explain(absence=1.0).reasons[0].sentence == (
        "In de laatste 4 schoolweken 5 dagen afwezig; in de 8 schoolweken daarvoor 6 dagen. "
        "In de laatste 12 schoolweken (sinds 6 juli 2026) 11 keer precies één dag afwezig."
    )
