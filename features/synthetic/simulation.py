"""Simulate a region, school by school: each school has its own stream of random numbers."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa

from features.errors import SettingsError
from features.synthetic.absence_days import all_absence
from features.synthetic.corrections import (
    add_mistakes,
    known_by,
    leave_unsettled,
    mistake_ends,
    settle_kinds,
    silence_classes,
)
from features.synthetic.deliveries import write_delivery
from features.synthetic.parameters import rates_of
from features.synthetic.pieces import Pieces, Scene, join
from features.synthetic.proneness import class_of, draw_proneness, entry_weights
from features.synthetic.pupils import (
    build_groups,
    draw_pupils,
    enrolled_days,
    planned_slots,
)
from features.synthetic.recording import write_down
from features.synthetic.region import Floats, Ints, RegionTime, build_time
from features.synthetic.risk_process import build_chain, oracle, walk
from features.synthetic.runs import (
    Onsets,
    leave_by_exemption,
    place_onsets,
    run_pieces,
    thin_accidental_runs,
)
from features.synthetic.schools import School, build_school_time, plan_schools
from features.synthetic.support_records import write_support
from features.synthetic.timetables import Reduced, apply_reduced, draw_reduced
from features.synthetic.truth import onset_rows, oracle_rows, write_truth
from features.vocabulary import Region

REGION_STREAM, SCHOOL_STREAM = 0, 1
FEWEST_PUPILS = 50


@dataclass(frozen=True)
class SchoolYears:
    """What really happened at one school, before anyone wrote it down."""

    scene: Scene
    onsets: Onsets
    runs: Pieces
    timed: Pieces
    untimed: Pieces
    reduced: Reduced
    classes: Ints
    known: Floats


def _quiet(_line: str) -> None:
    """Report to nobody."""


def simulate(
    out: Path,
    pupils: int,
    years: int,
    seed: int,
    end: date,
    report: Callable[[str], None] = _quiet,
) -> None:
    """Write `out/deliveries/<school>/` and `out/truth/` for an invented region.

    The history is `years` full school years and the running one up to and including `end`, for
    about `pupils` pupils enrolled at a time. The same arguments give the same bytes.
    """
    region_rng = np.random.default_rng([seed, REGION_STREAM])
    if pupils < FEWEST_PUPILS or years < 1:
        raise SettingsError(
            f"cannot simulate {pupils} pupils over {years} years; "
            f"take at least {FEWEST_PUPILS} pupils and 1 year"
        )
    time = build_time(Region.MIDDEN, years, end, region_rng)
    schools = plan_schools(pupils, region_rng)
    report(f"{len(schools)} schools, {time.weeks} school weeks from {time.first} to {time.last}")
    oracles: list[pa.Table] = []
    onsets: list[pa.Table] = []
    for order, school in enumerate(schools):
        rng = np.random.default_rng([seed, SCHOOL_STREAM, order])
        lived = live(school, time, rng)
        rows = _deliver(out / "deliveries" / school.code, lived, time, rng)
        oracles.append(oracle_rows(lived.scene, time, lived.known, lived.classes))
        onsets.append(onset_rows(lived.scene, lived.onsets))
        report(
            f"{school.code} {school.name}: {len(lived.scene.pupils)} pupils, {rows} rows of absence"
        )
    write_truth(out / "truth", oracles, onsets)
    report(f"truth: {sum(map(len, onsets))} onsets")


def live(school: School, time: RegionTime, rng: np.random.Generator) -> SchoolYears:
    """Let the pupils of one school live through the history."""
    school_time = build_school_time(time, rng)
    pupils = draw_pupils(school, time, rng)
    school_years = int(school_time.school_year[-1]) - time.first_year + 1
    proneness = draw_proneness(len(pupils), school_years, school.sector, rng)
    lowest, highest = int(pupils.cohort.min()), int(pupils.cohort.max())
    weights = entry_weights(time, school.sector, lowest, highest)
    classes = class_of(pupils.cohort, lowest, proneness)
    chain = build_chain(rates_of(school.sector))
    first_week = np.searchsorted(time.mondays + 6, pupils.enrolled)
    paths = walk(chain, weights, classes, first_week, time.weeks, rng)
    pupils = leave_by_exemption(pupils, paths, time, rng)
    groups = build_groups(school, pupils, time, rng)
    reduced = draw_reduced(paths, time, rng)
    slots = planned_slots(groups, school_time, enrolled_days(pupils, school_time))
    scene = Scene(
        school=school,
        time=school_time,
        pupils=pupils,
        groups=groups,
        proneness=proneness,
        paths=paths,
        slots=apply_reduced(slots, reduced, school_time),
        state=paths.states[:, school_time.week],
    )
    onsets = place_onsets(scene, rng)
    runs = run_pieces(scene, onsets, rng)
    timed, untimed = all_absence(scene, runs, rng)
    timed = thin_accidental_runs(scene, timed, onsets, runs, rng)
    known = oracle(chain, weights)
    return SchoolYears(scene, onsets, runs, timed, untimed, reduced, classes, known)


def _deliver(folder: Path, lived: SchoolYears, time: RegionTime, rng: np.random.Generator) -> int:
    """Write down what happened, with all that goes wrong in it, as one delivery."""
    scene = lived.scene
    timed, untimed = silence_classes(scene, lived.runs, [lived.timed, lived.untimed], rng)
    pieces = leave_unsettled(join([lived.runs, timed, untimed]), rng)
    records = write_down(scene, pieces, rng)
    records = mistake_ends(records, rng)
    records = settle_kinds(records, scene.school.sector, rng)
    records = add_mistakes(scene, records, lived.runs, rng)
    records = known_by(records, np.datetime64(time.last))
    support = write_support(scene, lived.timed, lived.reduced, time, rng)
    return write_delivery(folder, scene, records, support, lived.reduced, time, rng)
