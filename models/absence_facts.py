"""What stands out in the days of a pupil: every measure of absence, its norm and its records."""

from collections.abc import Mapping

import numpy as np

from features.vocabulary import ABSENT_KINDS, UNAUTHORISED_KINDS, AbsenceKind, Theme
from models import quantities as q
from models.evidence import (
    Days,
    Evidence,
    Flags,
    PupilRecords,
    absence_evidence,
    count_evidence,
    month_evidence,
    run_evidence,
)
from models.facts import (
    SMALLEST_STRENGTH,
    Fact,
    Measure,
    Standing,
    comparison,
    dates_of,
    with_start,
)

PREVIOUS_YEAR_NORM = 15
"""Days absent in a school year, out of about 190, that stand out."""
FEWEST_ON_WEEKDAY = 4
DAYS_OF_PREVIOUS_YEAR = q.total(q.is_absent, q.previous_year)
_WEEKDAYS = ("maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag")


def _all_kinds(records: PupilRecords, chosen: Flags) -> tuple[Evidence, ...]:
    return absence_evidence(records, chosen, ABSENT_KINDS)


def _sick_only(records: PupilRecords, chosen: Flags) -> tuple[Evidence, ...]:
    return absence_evidence(records, chosen, {AbsenceKind.SICK})


def _unauthorised_only(records: PupilRecords, chosen: Flags) -> tuple[Evidence, ...]:
    return absence_evidence(records, chosen, UNAUTHORISED_KINDS)


def _unverified_only(records: PupilRecords, chosen: Flags) -> tuple[Evidence, ...]:
    return absence_evidence(records, chosen, {AbsenceKind.UNVERIFIED})


def _late_only(records: PupilRecords, chosen: Flags) -> tuple[Evidence, ...]:
    return count_evidence(records, chosen, AbsenceKind.LATE_ARRIVAL)


def _sent_out_only(records: PupilRecords, chosen: Flags) -> tuple[Evidence, ...]:
    return count_evidence(records, chosen, AbsenceKind.SENT_OUT)


def _late_by_month(records: PupilRecords, chosen: Flags) -> tuple[Evidence, ...]:
    return month_evidence(records, chosen, AbsenceKind.LATE_ARRIVAL)


def _late(days: Days) -> Flags:
    return np.asarray(days.late > 0)


def _sent_out(days: Days) -> Flags:
    return np.asarray(days.sent_out > 0)


def _weekday_days(days: Days) -> Flags:
    """The days with any absence of the commonest weekday of the first pupil."""
    chosen = q.flagged(q.some_absence, q.last(12))(days)
    weekday = np.arange(chosen.shape[1]) % 7
    commonest = np.bincount(weekday[chosen[0]], minlength=7).argmax()
    return np.asarray(chosen & (weekday == commonest))


def _weekday_sentence(records: PupilRecords) -> str:
    """Whole numbers instead of a share; nothing when it rests on a handful of days."""
    days = records.own
    on_weekday = np.flatnonzero(_weekday_days(days)[0])
    every = int(q.flagged(q.some_absence, q.last(12))(days)[0].sum())
    if len(on_weekday) < FEWEST_ON_WEEKDAY:
        return ""
    name = _WEEKDAYS[on_weekday[0] % 7]
    sentence = (
        f"In de laatste 12 schoolweken vielen {len(on_weekday)} van de {every} dagen met "
        f"afwezigheid op een {name}."
    )
    return with_start(sentence, records, 12)


def _lateness(weeks: int, norm: float, weeks_before: int) -> Measure:
    return Measure(
        f"late_arrivals_{weeks}w",
        "late",
        norm,
        q.total(lambda days: days.late, q.last(weeks)),
        q.flagged(_late, q.last(weeks)),
        _late_only,
        q.total(lambda days: days.late, q.last(weeks_before, skip=weeks)),
        weeks_before,
    )


# The norms are customary, not law: M@ZL (4 reports in 12 school weeks, 7 school days on end), the
# reporting norm of 16 hours halved, letters to parents at 3 late arrivals in 4 weeks, a tenth of
# the days.
MEASURES: Mapping[Theme, tuple[Measure, ...]] = {
    Theme.ABSENCE: (
        Measure(
            "absent_days_4w",
            "days",
            3,
            q.total(q.is_absent, q.last(4)),
            q.flagged(q.is_absent, q.last(12)),
            _all_kinds,
            q.total(q.is_absent, q.last(8, skip=4)),
            8,
        ),
        Measure("current_run_days", "run", 3, q.current_run, q.current_run_days, _all_kinds),
        Measure(
            "sick_episodes_12w",
            "sick",
            4,
            q.sick_episodes(q.last(12)),
            q.flagged(q.sick, q.last(12)),
            _sick_only,
            q.sick_episodes(q.last(12, skip=12)),
            12,
        ),
        Measure(
            "absent_days_12w",
            "days",
            9,
            q.total(q.is_absent, q.last(12)),
            q.flagged(q.is_absent, q.last(12)),
            _all_kinds,
            q.total(q.is_absent, q.last(12, skip=12)),
            12,
        ),
        Measure(
            "longest_run_12w",
            "run",
            7,
            q.longest_run(q.last(12)),
            q.longest_run_days(q.last(12)),
            _all_kinds,
        ),
        Measure(
            "part_days_12w",
            "parts",
            8,
            q.total(q.part_day, q.last(12)),
            q.flagged(q.part_day, q.last(12)),
            _all_kinds,
            q.total(q.part_day, q.last(12, skip=12)),
            12,
        ),
        Measure(
            "edge_absences_12w",
            "single",
            3,
            q.total(q.edge_days(q.last(12)), q.last(12)),
            q.edge_days(q.last(12)),
            _all_kinds,
            alone=False,
        ),
        Measure(
            "one_day_absences_12w",
            "single",
            4,
            q.total(q.single_days(q.last(12)), q.last(12)),
            q.single_days(q.last(12)),
            _all_kinds,
            alone=False,
        ),
        Measure(
            "longest_run_previous_year",
            "previous year",
            7,
            q.longest_run(q.previous_year),
            q.longest_run_days(q.previous_year),
            run_evidence,
            alone=False,
        ),
    ),
    Theme.UNAUTHORISED: (
        Measure(
            "unauthorised_hours_4w",
            "hours",
            8,
            q.unauthorised_hours(q.last(4)),
            q.flagged(lambda days: np.asarray(days.unauthorised > 0), q.last(4)),
            _unauthorised_only,
            q.unauthorised_hours(q.last(8, skip=4)),
            8,
            least=0.25,
        ),
        Measure(
            "unauthorised_share_12w",
            "hours",
            0.05,
            q.share(q.unauthorised, q.last(12)),
            q.flagged(lambda days: np.asarray(days.unauthorised > 0), q.last(12)),
            _unauthorised_only,
            q.share(q.unauthorised, q.last(12, skip=12)),
            12,
        ),
        Measure(
            "unverified_share_4w",
            "unverified",
            0.05,
            q.share(q.unverified, q.last(4)),
            q.flagged(lambda days: np.asarray(q.unverified(days) > 0), q.last(4)),
            _unverified_only,
            q.share(q.unverified, q.last(8, skip=4)),
            8,
        ),
    ),
    Theme.PATTERN: (
        _lateness(4, 3, weeks_before=8),
        _lateness(12, 6, weeks_before=12),
        Measure(
            "sent_out_12w",
            "sent out",
            3,
            q.total(lambda days: days.sent_out, q.last(12)),
            q.flagged(_sent_out, q.last(12)),
            _sent_out_only,
            q.total(lambda days: days.sent_out, q.last(12, skip=12)),
            12,
        ),
        Measure(
            "weekday_concentration_12w",
            "weekday",
            0.6,
            q.weekday_share,
            _weekday_days,
            _all_kinds,
            least=1.0,  # every pupil has some weekday with more than the others
            alone=False,
            said=_weekday_sentence,
        ),
        Measure(
            "late_arrivals_previous_year",
            "previous year",
            15,
            q.total(lambda days: days.late, q.previous_year),
            q.flagged(_late, q.previous_year),
            _late_by_month,
            alone=False,
        ),
    ),
}


def absence_standing(
    records: PupilRecords, theme: Theme, values: Mapping[str, float]
) -> list[Standing]:
    """What stands out in a theme that rests on days of absence or lateness.

    Only what the features of the row, `values`, hold is told: what a model may not look at is not
    shown as its reason either.
    """
    found = [measure.standing(records) for measure in MEASURES[theme] if measure.feature in values]
    if theme is Theme.ABSENCE and "absent_share_previous_year" in values:
        found.append(_previous_year(records))
    return [one for one in found if one is not None]


def _previous_year(records: PupilRecords) -> Standing | None:
    days = records.figures(DAYS_OF_PREVIOUS_YEAR)[0]
    if not days >= SMALLEST_STRENGTH * PREVIOUS_YEAR_NORM:
        return None
    strength = int(days) / PREVIOUS_YEAR_NORM
    return Standing("previous year", strength, False, lambda: _previous_year_fact(records))


def _previous_year_fact(records: PupilRecords) -> Fact:
    """What the school year before came to; the days of it are given per run."""
    values = records.figures(DAYS_OF_PREVIOUS_YEAR)
    chosen = q.flagged(q.is_absent, q.previous_year)(records.own)[0]
    number = int(values[0])
    sentence = f"Vorig schooljaar {number} {'dag' if number == 1 else 'dagen'} afwezig."
    evidence = run_evidence(records, chosen)
    beside = comparison(values, "Dagen afwezig, vorig schooljaar")
    strength = number / PREVIOUS_YEAR_NORM
    days = dates_of(records, chosen)
    return Fact("previous year", strength, sentence, evidence, beside, alone=False, days=days)
