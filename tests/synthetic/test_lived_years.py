"""What happens at the invented schools lies within the ranges of the public figures."""

import numpy as np
import pytest

from features.synthetic.parameters import HORIZON_WEEKS, RUN_DAYS
from features.synthetic.pieces import KIND_NUMBER, Pieces, absent_share, join, slot_minutes
from features.synthetic.region import RegionTime
from features.synthetic.risk_process import AWAY_STATES, ROADS, Road, State
from features.synthetic.runs import RUN_STARTS_EARLY, labelled_onsets
from features.synthetic.simulation import SchoolYears
from features.vocabulary import AbsenceKind, Sector

SICK = [KIND_NUMBER[AbsenceKind.SICK]]
AUTHORISED = [
    KIND_NUMBER[kind] for kind in (AbsenceKind.SICK, AbsenceKind.MEDICAL_VISIT, AbsenceKind.LEAVE)
]
UNAUTHORISED = [
    KIND_NUMBER[kind]
    for kind in (
        AbsenceKind.UNAUTHORISED,
        AbsenceKind.UNAUTHORISED_HOLIDAY,
        AbsenceKind.UNVERIFIED,
    )
]


def minutes(years: SchoolYears, pieces: Pieces, kinds: list[int]) -> np.ndarray:
    upto = np.concatenate([[0.0], np.cumsum(slot_minutes(years.scene.school.sector))])
    grid = np.zeros(years.scene.shape)
    chosen = pieces.where(np.isin(pieces.kind, kinds))
    np.add.at(grid, (chosen.pupil, chosen.day), upto[chosen.last + 1] - upto[chosen.first])
    return grid


def planned(years: SchoolYears) -> np.ndarray:
    upto = np.concatenate([[0.0], np.cumsum(slot_minutes(years.scene.school.sector))])
    return upto[years.scene.slots]


def pupil_years(years: SchoolYears, grid: np.ndarray) -> np.ndarray:
    """`grid` per full pupil-year: [pupil-year, day], the last days of longer years left out."""
    rows, length = [], min(int((years.scene.year == year).sum()) for year in range(3))
    for year in range(3):
        days = np.flatnonzero(years.scene.year == year)
        there = (years.scene.slots[:, days] > 0).all(axis=1)
        rows.append(grid[np.ix_(there, days)][:, :length])
    return np.concatenate(rows)


def of_sector(lived: list[SchoolYears], sector: Sector) -> list[SchoolYears]:
    return [years for years in lived if years.scene.school.sector is sector]


def all_pieces(years: SchoolYears) -> Pieces:
    return join([years.runs, years.timed])


def test_primary_absence_lies_near_the_register_study(lived: list[SchoolYears]) -> None:
    sick, absent, extensive, share = [], [], [], []
    for years in of_sector(lived, Sector.PO):
        ill = minutes(years, all_pieces(years), SICK)
        anything = minutes(years, all_pieces(years), AUTHORISED + UNAUTHORISED)
        share.append(ill.sum() / planned(years).sum())
        ill_year = pupil_years(years, ill) > 0
        starts = (ill_year & ~np.pad(ill_year, ((0, 0), (1, 0)))[:, :-1]).sum(axis=1)
        sick.append(ill_year.any(axis=1))
        absent.append((pupil_years(years, anything) > 0).any(axis=1))
        extensive.append((ill_year.sum(axis=1) > 9) | (starts >= 4))
    assert 0.015 < np.mean(share) < 0.03
    assert np.concatenate(sick).mean() == pytest.approx(0.75, abs=0.05)
    assert np.concatenate(absent).mean() == pytest.approx(0.85, abs=0.05)
    assert np.concatenate(extensive).mean() == pytest.approx(0.13, abs=0.035)


def test_secondary_hours_lie_near_the_regional_figures(lived: list[SchoolYears]) -> None:
    hours, unauthorised, late = [], [], []
    for years in of_sector(lived, Sector.VO):
        authorised = minutes(years, all_pieces(years), AUTHORISED)
        without = minutes(years, all_pieces(years), UNAUTHORISED)
        # Schools differ on purpose; the figures are about an average one.
        average = years.scene.school.habits.illness
        hours.append(pupil_years(years, authorised).sum(axis=1) / 60 / average)
        shares = pupil_years(years, without).sum(axis=1)
        unauthorised.append(shares / pupil_years(years, planned(years)).sum(axis=1))
        is_late = years.untimed.kind == KIND_NUMBER[AbsenceKind.LATE_ARRIVAL]
        late.append(is_late.sum() / years.scene.slots.sum() * 100)
    per_year = np.concatenate(hours)
    assert (per_year >= 64).mean() == pytest.approx(0.32, abs=0.06)
    assert (per_year > 100).mean() == pytest.approx(0.15, abs=0.05)
    share = np.concatenate(unauthorised)
    assert 0.005 < share.mean() < 0.012
    assert 0.5 < (share == 0).mean() < 0.75
    assert 0.8 < np.mean(late) < 2.0


def test_illness_follows_weekday_season_and_a_winter_wave(lived: list[SchoolYears]) -> None:
    by_weekday, by_month = np.zeros((5, 2)), np.zeros((12, 2))
    for years in lived:
        absent, time = absent_share(years.scene, all_pieces(years)), years.scene.time
        months = time.days.astype("datetime64[M]").astype(int) % 12
        for table, key in ((by_weekday, time.weekday), (by_month, months)):
            np.add.at(table[:, 0], key, absent.sum(axis=0))
            np.add.at(table[:, 1], key, (years.scene.slots > 0).sum(axis=0))
    weekday = by_weekday[:, 0] / by_weekday[:, 1]
    month = np.divide(by_month[:, 0], by_month[:, 1], where=by_month[:, 1] > 0, out=np.zeros(12))
    assert weekday.argmin() in (2, 3)
    assert 1.1 < weekday[4] / weekday[2] < 1.4
    assert month[1] > 1.5 * month[8]


def test_years_of_one_pupil_resemble_each_other(lived: list[SchoolYears]) -> None:
    first, second = [], []
    for years in of_sector(lived, Sector.VO):
        scene, share = years.scene, absent_share(years.scene, all_pieces(years))
        days = [np.flatnonzero(scene.year == year) for year in (0, 1)]
        both = (scene.slots[:, np.concatenate(days)] > 0).all(axis=1)
        first.append(share[np.ix_(both, days[0])].mean(axis=1))
        second.append(share[np.ix_(both, days[1])].mean(axis=1))
    together = np.corrcoef(np.concatenate(first), np.concatenate(second))[0, 1]
    assert 0.35 < together < 0.8


def test_those_with_four_reports_partly_go_back_by_themselves(lived: list[SchoolYears]) -> None:
    """Twelve school weeks before and after, the season taken out: down, but not all the way."""
    flagged, everyone = np.zeros(2), np.zeros(2)
    for years in of_sector(lived, Sector.VO):
        scene = years.scene
        ill = minutes(years, all_pieces(years), SICK) > 0
        starts = ill & ~np.pad(ill, ((0, 0), (1, 0)))[:, :-1]
        for week in range(20, 120, 13):
            spans = [
                (scene.time.week >= low) & (scene.time.week < low + 12) for low in (week - 12, week)
            ]
            there = (scene.slots[:, spans[0] | spans[1]] > 0).all(axis=1)
            often = there & (starts[:, spans[0]].sum(axis=1) >= 4)
            flagged += [ill[np.ix_(often, span)].sum() for span in spans]
            everyone += [ill[np.ix_(there, span)].sum() for span in spans]
    change = flagged[1] / flagged[0] / (everyone[1] / everyone[0]) - 1
    assert -0.35 < change < -0.08


def test_onsets_are_as_rare_as_they_should_be_with_all_roads(lived: list[SchoolYears]) -> None:
    years_at_school = sum((years.scene.slots > 0).sum() for years in lived) / 190
    roads = np.concatenate([years.onsets.road[years.onsets.complete] for years in lived])
    assert 0.005 < len(roads) / years_at_school < 0.0125
    assert {ROADS[road] for road in np.unique(roads)} == set(Road)
    sudden = (roads == ROADS.index(Road.SUDDEN)).mean()
    assert 0.15 < sudden < 0.42


def test_runs_in_the_days_are_the_onsets_and_no_others(lived: list[SchoolYears]) -> None:
    for years in lived:
        scene = years.scene
        share = absent_share(scene, all_pieces(years))
        found = labelled_onsets(share, scene.slots > 0)
        onsets = years.onsets
        for pupil, day in found:
            ahead = onsets.day[onsets.pupil == pupil] - day
            assert ((ahead >= 0) & (ahead <= RUN_STARTS_EARLY)).any()
        for pupil, day, complete in zip(onsets.pupil, onsets.day, onsets.complete, strict=True):
            if complete and day + RUN_DAYS <= scene.shape[1]:
                early = [day - at for who, at in found if who == pupil]
                assert any(0 <= days <= RUN_STARTS_EARLY for days in early)


def test_about_half_of_those_long_away_are_back_within_a_year(lived: list[SchoolYears]) -> None:
    back, long_away = 0, 0
    for years in lived:
        scene, onsets = years.scene, years.onsets
        early = onsets.day + 250 < scene.shape[1]
        lengths = (onsets.last_day - onsets.day)[early]
        still_there = scene.slots[onsets.pupil, np.minimum(onsets.last_day + 1, scene.shape[1] - 1)]
        is_back = (still_there[early] > 0) & (lengths <= 250)
        long_away += int((lengths > 60).sum())
        back += int(((lengths > 60) & is_back).sum())
    assert long_away > 20
    assert 0.35 < back / long_away < 0.8


def test_the_oracle_fits_the_onsets_that_came(
    lived: list[SchoolYears], region_time: RegionTime
) -> None:
    said, came = [], []
    for years in lived:
        scene, states = years.scene, years.scene.paths.states
        onset = np.zeros((scene.shape[0], region_time.weeks + HORIZON_WEEKS), dtype=bool)
        onset[years.onsets.pupil, scene.time.week[years.onsets.day]] = years.onsets.complete
        for week in range(4, region_time.weeks - HORIZON_WEEKS - 5, HORIZON_WEEKS):
            span = (scene.time.week >= week) & (scene.time.week < week + HORIZON_WEEKS + 5)
            there = (scene.slots[:, span] > 0).all(axis=1)
            rows = there & ~np.isin(states[:, week], (*AWAY_STATES, State.BACK))
            said.append(years.known[years.classes[rows], week, states[rows, week]])
            came.append(onset[rows, week : week + HORIZON_WEEKS].any(axis=1))
    probability, realised = np.concatenate(said), np.concatenate(came)
    assert probability.max() < 0.5
    for low, high in ((0.0, 0.002), (0.002, 0.05), (0.05, 0.15), (0.15, 1.0)):
        inside = (probability >= low) & (probability < high)
        expected = probability[inside].sum()
        spread = np.sqrt((probability * (1 - probability))[inside].sum())
        assert abs(realised[inside].sum() - expected) < 4 * spread
