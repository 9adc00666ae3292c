"""`tijdig demo`: an invented region from deliveries to the page; what is there is reused."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import click

from features.errors import NotAllowed, NotThere, SettingsError
from features.school_weeks import mondays_between
from features.settings import Home
from features.vocabulary import Role
from serving.commands import models, pages, records, weekly
from serving.commands.context import Work
from serving.commands.feature_tables import build_tables

EXPERIMENT = Path(__file__).resolve().parents[2] / "experiments" / "first.toml"
WEEKS_PUBLISHED = 4
SIGNERS = ("d.wetenschapper (voorbeeld)", "f.gegevens (voorbeeld)")


@dataclass(frozen=True)
class Region:
    """What decides the invented region; another choice needs another home."""

    pupils: int
    years: int
    seed: int
    end: str

    @property
    def last_monday(self) -> date:
        """The newest Monday whose past is complete: the day after the last recorded Sunday."""
        end = date.fromisoformat(self.end)
        return end + timedelta(days=1) - timedelta(days=(end + timedelta(days=1)).weekday())


@click.command()
@click.option("--pupils", type=click.IntRange(200), default=10_000, show_default=True)
@click.option("--years", type=click.IntRange(2, 3), default=3, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--end", default=records.LAST_DAY, show_default=True, help="Last recorded day.")
@click.option("--serve/--no-serve", "serving", default=True, show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8350, show_default=True)
@click.pass_obj
def demo(
    work: Work, pupils: int, years: int, seed: int, end: str, serving: bool, port: int
) -> None:
    """Set up an invented region, train, publish the last four Mondays and open the pages."""
    region = Region(pupils, years, seed, end)
    work = replace(work, clock=demo_clock(work.clock, region.last_monday))
    # The commands invoked below take their clock from here: one clock for links and pages.
    click.get_current_context().obj = work
    work.say("An invented region: no pupil in it exists, and no result on it holds for children.")
    same_region(work, region)
    deliver(work, region)
    build(work, region)
    train(work)
    publish(work, region)
    invite(work, port)
    if serving:
        click.get_current_context().invoke(pages.serve, port=port)


def demo_clock(clock: Callable[[], datetime], monday: date) -> Callable[[], datetime]:
    """A clock that starts at 08:00 on the region's last Monday, so that nothing has expired."""
    started = clock()
    start = datetime(monday.year, monday.month, monday.day, 7, tzinfo=UTC)
    return lambda: start + (clock() - started)


def same_region(work: Work, region: Region) -> None:
    """Refuse to mix two invented regions, or an invented one with real records, in one home."""
    marker = work.home.root / "demo.json"
    if marker.exists():
        found = json.loads(marker.read_text(encoding="utf-8"))
        if found != asdict(region):
            raise SettingsError(
                f"{work.home.root} holds another demo region ({found}); remove that folder or "
                "choose another with --home"
            )
        return
    if work.home.records.exists():
        raise SettingsError(
            f"{work.home.root} holds records that are not the demo's; choose another --home"
        )
    work.home.root.mkdir(parents=True, exist_ok=True)
    marker.write_text(json.dumps(asdict(region)), encoding="utf-8")


def deliver(work: Work, region: Region) -> None:
    """Simulate and ingest; the truth about the invented pupils is kept apart, for judging only."""
    from features.records import RecordLog
    from features.synthetic import simulate

    folder = work.home.root / "simulated"
    if not (folder / "truth" / "onsets.parquet").exists():
        end = date.fromisoformat(region.end)
        simulate(folder, region.pupils, region.years, region.seed, end, lambda _: None)
        work.say(f"simulated {region.pupils} pupils; deliveries in {folder / 'deliveries'}")
    deliveries = sorted((folder / "deliveries").iterdir())
    if len(RecordLog(work.home.records).deliveries()) < len(deliveries):
        reports = list(records.ingest_all(work, tuple(deliveries)))
        rows = sum(report.rows_read for report in reports)
        work.say(f"ingested {rows:,} rows of {len(reports)} deliveries")
    if not work.home.truth.exists():
        key_truth(work.home, folder / "truth")


def key_truth(home: Home, folder: Path) -> None:
    """The simulator's truth under the pseudonyms of this home."""
    import polars as pl

    from features.ingest import pupil_keys

    home.truth.mkdir(parents=True)
    for name in ("oracle.parquet", "onsets.parquet"):
        frame = pl.read_parquet(folder / name)
        pupils = frame.select("school", "pupil_number").unique()
        keys = pupil_keys(home, pupils["school"].to_list(), pupils["pupil_number"].to_list())
        named = pupils.with_columns(pupil_key=pl.Series(keys, dtype=pl.String))
        joined = frame.join(named, on=["school", "pupil_number"]).drop("school", "pupil_number")
        joined.filter(pl.col("pupil_key").is_not_null()).write_parquet(home.truth / name)


def build(work: Work, region: Region) -> None:
    """The feature tables of every Monday since the region began, as known then."""
    first = date(region.last_monday.year - region.years, 8, 1)
    build_tables(work, mondays_between(first, region.last_monday))


def train(work: Work) -> None:
    """Train the first experiment and put it through the gate, unless a champion stands."""
    from models.registry import Registry

    try:
        version, _ = Registry.at(work.home).champion()
        work.say(f"model version {version} is the champion already")
    except NotThere:
        context = click.get_current_context()
        context.invoke(models.train, experiment=EXPERIMENT)
        try:
            context.invoke(models.promote, version="latest", signed_by=SIGNERS)
        except NotAllowed as refusal:
            work.say(f"The gate refuses: {refusal}.")
            work.say("With real records it would end here. The lists below are a trial of it.")
            models.try_out_latest(work)


def publish(work: Work, region: Region) -> None:
    """Publish the last four Mondays, oldest first."""
    for back in reversed(range(WEEKS_PUBLISHED)):
        weekly.publish_week(work, region.last_monday - timedelta(weeks=back))


def invite(work: Work, port: int) -> None:
    """An account and a one-time link for each kind of user."""
    from serving.lists import ListStore
    from serving.tables import open_app

    schools = ListStore(open_app(work.home)).schools()
    people = (
        ("ib@voorbeeld.invalid", "Ina Begeleider", Role.CARE_COORDINATOR, (schools[0],)),
        ("zorg-vo@voorbeeld.invalid", "Otto Zorg", Role.CARE_COORDINATOR, (schools[-1],)),
        ("data@voorbeeld.invalid", "Dana Wetenschapper", Role.DATA_SCIENTIST, ()),
        ("fg@voorbeeld.invalid", "Ferry Gegevens", Role.PRIVACY_OFFICER, ()),
        ("regio@voorbeeld.invalid", "Rea Regio", Role.REGION_COORDINATOR, tuple(schools)),
    )
    work.say("One-time links to choose a password (they work once, while the pages are served):")
    for email, name, role, own in people:
        may_export = role is Role.CARE_COORDINATOR
        path = pages.setup_link(work, email, name, role, own, may_export=may_export)
        of_school = f" of school {own[0]}" if len(own) == 1 else ""
        work.say(f"  {role.label}{of_school}: http://127.0.0.1:{port}{path}")


COMMANDS = (demo,)
