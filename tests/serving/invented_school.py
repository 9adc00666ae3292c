"""A small home for page tests: two invented schools through the real vault, log and lists store."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from features.build import build as build_features
from features.governance.use import Action, Purpose, Use
from features.governance.vault import Identity, Vault
from features.records import DeliveryRows, LogTable, RecordLog, schema_of
from features.settings import Home
from features.store import FeatureStore
from features.vocabulary import AbsenceKind, PupilKey, Role, Theme
from models.reasons import Evidence, Explanation, Reason
from serving.accounts import Accounts
from serving.at_home import MonthCounts, months_later
from serving.beside import BesideStore, Gone, GoneBecause, Place, SideRow, WeekFacts, publish_week
from serving.decisions import Decision, Decisions, appointments
from serving.lists import Block, ListRow, ListStore, Newness, PublishedList
from serving.region import keep_months
from serving.tables import open_app

SCHOOL, OTHER_SCHOOL, NEW_SCHOOL = "90AB00", "90AB01", "90AB02"
MONDAY = date(2026, 11, 16)
EARLIER = (date(2026, 11, 2), date(2026, 11, 9))
NOW = datetime(2026, 11, 16, 8, 30, tzinfo=UTC)
NEXT_MONDAY = date(2026, 11, 23)
IB, OTHER_IB = "ib@regenboog.example", "ib@kompas.example"
SCIENTIST, OFFICER = "data@swv.example", "fg@swv.example"
REGION = "regio@swv.example"
PASSWORD = "vier losse woorden samen"

_PUPILS = (
    ("Noor", "van den", "Berg", "7b"),
    ("Daan", "", "Çelik", "8a"),
    ("Amira", "el", "Haddad", "6"),
    ("Thijs", "", "Jansen", "7b"),
    ("Sem", "de", "Vries", "5a"),
    ("Lotte", "", "Bakker", "8a"),
    ("Milan", "", "Peeters", "7b"),
    ("Fenna", "van", "Dijk", "6"),
    ("Ruben", "", "Kok", "8a"),
)
_OTHERS = (("Yara", "", "Smit", "4"), ("Finn", "", "Mulder", "4"))


@dataclass(frozen=True)
class Pupil:
    """One invented pupil."""

    key: PupilKey
    name: str
    group: str


@dataclass(frozen=True)
class InventedSchool:
    """The home, and who is in it. `set_up_tokens` are by e-mail address."""

    home: Home
    pupils: tuple[Pupil, ...]
    others: tuple[Pupil, ...]
    set_up_tokens: Mapping[str, str]

    def copied(self, root: Path) -> "InventedSchool":
        """The same in another place, to write in."""
        shutil.copytree(self.home.root, root)
        return replace(self, home=Home(root))

    def row_id(self, pupil: Pupil, as_of: date = MONDAY) -> str:
        """The row of one pupil on the list of a Monday."""
        engine = open_app(self.home)
        try:
            codes = (SCHOOL, OTHER_SCHOOL)
            store = ListStore(engine)
            beside = BesideStore(engine)
            rows: list[ListRow | SideRow] = []
            for code in codes:
                rows += [*_rows(store, code, as_of), *beside.rows(code, as_of)]
            return next(row.row_id for row in rows if row.pupil_key == pupil.key)
        finally:
            engine.dispose()


def _rows(store: ListStore, school: str, as_of: date) -> tuple[ListRow, ...]:
    return store.get(school, as_of).rows if as_of in store.weeks(school) else ()


def build(root: Path) -> InventedSchool:
    """Make everything below `root`."""
    home = Home(root)
    vault = Vault.open(home, {})
    pupils = _remember(vault, SCHOOL, _PUPILS)
    others = _remember(vault, OTHER_SCHOOL, _OTHERS)
    log = RecordLog(home.records)
    with log.writing():
        head = log.append(_delivery(pupils, others))
    engine = open_app(home)
    publish(engine, _lists(pupils, others, head), pupils)
    with engine.begin() as connection:
        keep_months(connection, NEW_SCHOOL, months(NEW_SCHOOL))
    accounts = Accounts(engine)
    every_school = [SCHOOL, OTHER_SCHOOL, NEW_SCHOOL]
    people: tuple[tuple[str, str, Role, list[str]], ...] = (
        (IB, "Marieke Dekker", Role.CARE_COORDINATOR, [SCHOOL]),
        (OTHER_IB, "Jan Postma", Role.CARE_COORDINATOR, [OTHER_SCHOOL, NEW_SCHOOL]),
        (SCIENTIST, "Wei Zhang", Role.DATA_SCIENTIST, []),
        (OFFICER, "Fatima Aksoy", Role.PRIVACY_OFFICER, []),
        (REGION, "Hilde Bos", Role.REGION_COORDINATOR, every_school),
    )
    tokens = {}
    for email, name, role, schools in people:
        accounts.add(email, name, role, schools, NOW, may_export=email == IB)
        tokens[email] = accounts.make_link(email, NOW)
    engine.dispose()
    return InventedSchool(home, pupils, others, tokens)


def publish(engine: sa.Engine, lists: Sequence[PublishedList], pupils: Sequence[Pupil]) -> None:
    """Publish these lists with what belongs beside them, as the weekly run does."""
    beside = BesideRows(tuple(pupils), Decisions(engine).of_school(SCHOOL))

    def alongside(connection: sa.Connection, published: PublishedList) -> None:
        mine = pupils if published.school == SCHOOL else ()
        publish_week(
            connection,
            beside.facts(published),
            beside.rows(published),
            {pupil.key: pupil.group for pupil in mine},
            published.published_at,
        )
        keep_months(connection, published.school, months(published.school))

    ListStore(engine).publish(lists, alongside)


@dataclass(frozen=True)
class BesideRows:
    """What stands beside the lists of the first school: two at home, one out of sight."""

    pupils: tuple[Pupil, ...]
    decisions: Mapping[PupilKey, Sequence[Decision]]

    def facts(self, published: PublishedList) -> WeekFacts:
        """One group that registered nothing for two weeks; Amira gone from the second list."""
        if published.school != SCHOOL:
            return WeekFacts(published.school, published.as_of, 40)
        amira = self.pupils[2]
        gone = (Gone(amira.key, amira.group, GoneBecause.LESS_STANDS_OUT),)
        return WeekFacts(
            published.school,
            published.as_of,
            pupils=len(self.pupils),
            unregistered=(("5a", 2),),
            without_reason=3,
            gone=gone if published.as_of == EARLIER[1] else (),
        )

    def rows(self, published: PublishedList) -> list[SideRow]:
        """Milan's four weeks run out within a fortnight; Fenna's three months are over."""
        if published.school != SCHOOL:
            return []
        as_of = published.as_of
        milan, fenna, ruben = self.pupils[6:9]
        listed = {row.pupil_key for row in published.rows}
        due = appointments(self.decisions, as_of)
        return [
            SideRow(
                SCHOOL,
                as_of,
                milan.key,
                Place.AT_HOME,
                milan.group,
                since=date(2026, 10, 29),
                school_days=12,
                four_weeks_on=date(2026, 11, 25),
                three_months_on=date(2027, 1, 29),
                kinds=(AbsenceKind.SICK,),
                last_contact=date(2026, 11, 5),
            ),
            SideRow(
                SCHOOL,
                as_of,
                fenna.key,
                Place.AT_HOME,
                fenna.group,
                since=date(2026, 7, 6),
                school_days=62,
                four_weeks_on=date(2026, 9, 11),
                three_months_on=date(2026, 10, 6),
                over_holiday=True,
                kinds=(AbsenceKind.UNAUTHORISED, AbsenceKind.SICK),
                running=("handelingsplan",),
            ),
            SideRow(
                SCHOOL,
                as_of,
                ruben.key,
                Place.OUT_OF_SIGHT,
                ruben.group,
                since=date(2026, 10, 9),
            ),
            *(
                SideRow(
                    SCHOOL,
                    as_of,
                    pupil.key,
                    Place.BY_APPOINTMENT,
                    pupil.group,
                    since=due[pupil.key].look_back_on,
                )
                for pupil in self.pupils
                if pupil.key in due and pupil.key not in listed
            ),
        ]


def months(school: str) -> list[MonthCounts]:
    """Counts that add up, some of them small: other ones for each school."""
    extra = (SCHOOL, OTHER_SCHOOL, NEW_SCHOOL).index(school)
    found, stock = [], 6 + extra
    for number, month in enumerate(
        [date(2025, month, 1) for month in range(8, 13)]
        + [date(2026, month, 1) for month in range(1, 12)]
    ):
        began, returned, left = (number + extra) % 6, (number * 2 + extra) % 4, number % 7 == 6
        stock += began - returned - left
        longer = stock // 4
        until = months_later(month, 1) - timedelta(days=1)
        counts = (stock - longer, longer, began, returned, int(left))
        found.append(MonthCounts(month, min(until, date(2026, 11, 15)), 250, *counts))
    return found


def publish_next_monday(school: InventedSchool) -> None:
    """The list of a week later: Noor again, Lotte new; appointments come back by themselves."""
    noor, _daan, _amira, _thijs, _sem, lotte, *_ = school.pupils
    engine = open_app(school.home)
    head = ListStore(engine).row(school.row_id(noor)).log_head
    rows = (
        _row(noor, Block.DISCUSS, Newness.AGAIN, 0, _noors_reasons(), ("handelingsplan",)),
        _row(lotte, Block.DISCUSS, Newness.NEW, 1),
    )
    publish(engine, [_list(SCHOOL, NEXT_MONDAY, head, *rows)], school.pupils)
    engine.dispose()


def put_values_online(school: InventedSchool, as_of: date = MONDAY) -> None:
    """Count the features of `as_of` and put those of who is listed online, as the weekly run does.

    Who stands on the list with too little data is left out.
    """
    home = school.home
    engine = open_app(home)
    rows = [row for code in (SCHOOL, OTHER_SCHOOL) for row in _rows(ListStore(engine), code, as_of)]
    engine.dispose()
    listed = [row.pupil_key for row in rows if row.block is not Block.TOO_LITTLE_DATA]
    table = pa.concat_tables(build_features(RecordLog(home.records), [as_of]))
    use = Use("weekly-job", Role.JOB, Purpose.EARLY_WARNING, Action.SHOW, NOW)
    store = FeatureStore.at(home)
    store.apply(use)
    shown = table.filter(pc.is_in(table["pupil_key"], pa.array(listed, pa.string())))
    store.put_online(shown, as_of, use)


def _remember(
    vault: Vault, school: str, people: Sequence[tuple[str, str, str, str]]
) -> tuple[Pupil, ...]:
    numbers = [f"{1000 + number}" for number in range(len(people))]
    vault.remember(
        school,
        [Identity(*person[:3], number) for person, number in zip(people, numbers, strict=True)],
    )
    keys = vault.keys_for(school, numbers)
    return tuple(
        Pupil(key, " ".join(part for part in person[:3] if part), person[3])
        for key, person in zip(keys, people, strict=True)
        if key is not None
    )


def _delivery(pupils: Sequence[Pupil], others: Sequence[Pupil]) -> DeliveryRows:
    rows: dict[LogTable, list[dict[str, object]]] = {table: [] for table in LogTable}
    names = {SCHOOL: "De Regenboog", OTHER_SCHOOL: "Het Kompas", NEW_SCHOOL: "De Zonnebloem"}
    for school, name in names.items():
        rows[LogTable.SCHOOLS].append(
            {"school": school, "name": name, "sector": "po", "region": "midden"}
        )
        for group in ("4", "5a", "6", "7b", "8a"):
            for weekday, minutes in enumerate((330, 330, 210, 330, 330), start=1):
                rows[LogTable.TIMETABLE].append(
                    {
                        "school": school,
                        "group": group,
                        "weekday": weekday,
                        "valid_from": date(2024, 8, 1),
                        "planned_minutes": minutes,
                    }
                )
    for school, children in ((SCHOOL, pupils), (OTHER_SCHOOL, others)):
        for pupil in children:
            rows[LogTable.PLACEMENTS] += _placements(school, pupil)
    rows[LogTable.ABSENCE] = [*_absences(pupils[0]), *_absences(pupils[3])[6:]]
    rows[LogTable.SUPPORT] = _support(pupils[0])
    rows[LogTable.PRIOR_ABSENCE] = _former_school(pupils[0])
    return DeliveryRows(
        received_at=datetime(2026, 11, 16, 4, tzinfo=UTC),
        digest="f" * 64,
        tables={table: _table(table, content) for table, content in rows.items() if content},
    )


def _placements(school: str, pupil: Pupil) -> list[dict[str, object]]:
    year_group = int(pupil.group[0])
    shared = {"school": school, "pupil_key": pupil.key, "born_on": date(2016, 3, 1)}
    return [
        shared
        | {
            "year_group": str(year_group - 1),
            "group": "6",
            "enrolled_on": date(2025, 8, 1),
            "left_on": date(2026, 7, 31),
        },
        shared
        | {
            "year_group": str(year_group),
            "group": pupil.group,
            "enrolled_on": date(2026, 8, 1),
        },
    ]


def _absences(pupil: Pupil) -> list[dict[str, object]]:
    sick = [date(2026, 9, 14), date(2026, 9, 28), date(2026, 10, 5), date(2026, 10, 12)]
    sick += [date(2026, 11, day) for day in (2, 3, 9, 10, 11, 13)]
    early = [date(2026, 2, 3), date(2026, 2, 4), date(2026, 3, 20), date(2026, 6, 8)]
    kinds: list[tuple[str, list[date], int | None]] = [
        ("sick", early, None),
        ("leave", [date(2026, 5, 28)], None),
        ("late_arrival", [date(2026, 9, 8), date(2026, 10, 7), date(2026, 11, 4)], 15),
        ("sick", sick, None),
        ("medical_visit", [date(2026, 10, 9)], 90),
        ("unverified", [date(2026, 11, 6)], None),
        ("unauthorised", [date(2026, 10, 15)], 120),
    ]
    rows: list[dict[str, object]] = []
    for kind, days, minutes in kinds:
        for day in days:
            starts_at = datetime.combine(day, time(8, 30))
            rows.append(
                {
                    "school": SCHOOL,
                    "pupil_key": pupil.key,
                    "starts_at": starts_at,
                    "ends_at": starts_at + timedelta(minutes=minutes or 375),
                    "minutes": minutes,
                    "kind": kind,
                }
            )
    return rows


def _support(pupil: Pupil) -> list[dict[str, object]]:
    items = (
        ("support_plan", "running", date(2026, 9, 7), None),
        ("arrangement", "done", date(2026, 1, 12), date(2026, 7, 10)),
        ("parent_talk", "done", date(2026, 11, 3), date(2026, 11, 3)),
        ("tlv_request", "requested", date(2026, 10, 26), None),
    )
    return [
        {
            "school": SCHOOL,
            "pupil_key": pupil.key,
            "kind": kind,
            "status": status,
            "starts_on": starts_on,
            "ends_on": ends_on,
        }
        for kind, status, starts_on, ends_on in items
    ]


def _former_school(pupil: Pupil) -> list[dict[str, object]]:
    """Known since before the list, and said otherwise since."""
    shared = {
        "record_key": "prior-noor",
        "school": SCHOOL,
        "pupil_key": pupil.key,
        "until": date(2025, 7, 31),
        "half_days_authorised": 12,
        "minutes_unauthorised": 150,
        "times": 7,
    }
    later = {"known_at": datetime(2026, 11, 16, 5, 30, tzinfo=UTC), "half_days_authorised": 99}
    return [shared, shared | later]


def _table(table: LogTable, content: list[dict[str, object]]) -> pa.Table:
    schema = schema_of(table)
    names = [name for name in schema.names if name not in ("delivery", "sequence")]
    known = datetime(2025, 8, 1, tzinfo=UTC)
    rows = [
        {
            "record_key": f"{table}-{number:04d}",
            "known_at": (
                datetime.combine(starts_at.date(), time(12), UTC)
                if isinstance(starts_at := row.get("starts_at"), datetime)
                else known
            ),
            "known_at_basis": "assumed",
            "withdrawn": False,
            "fingerprint": f"{number}",
        }
        | row
        for number, row in enumerate(content)
    ]
    return pa.Table.from_pylist(rows, schema=pa.schema([schema.field(name) for name in names]))


def _lists(pupils: Sequence[Pupil], others: Sequence[Pupil], head: int) -> list[PublishedList]:
    noor, daan, amira, thijs, sem, *_ = pupils
    return [
        _list(SCHOOL, EARLIER[0], head, _row(amira, Block.DISCUSS, Newness.NEW, 0)),
        _list(
            SCHOOL,
            EARLIER[1],
            head,
            _row(thijs, Block.DISCUSS, Newness.NEW, 0),
            _row(sem, Block.FOLLOW, Newness.NEW, 1),
        ),
        _list(
            SCHOOL,
            MONDAY,
            head,
            _row(noor, Block.DISCUSS, Newness.NEW, 0, _noors_reasons(), ("handelingsplan",)),
            _row(thijs, Block.DISCUSS, Newness.AGAIN, 1),
            _row(amira, Block.DISCUSS, Newness.BACK, 2),
            _row(daan, Block.FOLLOW, Newness.NEW, 3),
            _row(sem, Block.TOO_LITTLE_DATA, Newness.AGAIN, 4, ()),
        ),
        _list(OTHER_SCHOOL, MONDAY, head, _row(others[0], Block.DISCUSS, Newness.NEW, 0)),
    ]


def _list(school: str, as_of: date, head: int, *rows: ListRow) -> PublishedList:
    return PublishedList(
        school=school,
        as_of=as_of,
        published_at=datetime.combine(as_of, time(5, 12), UTC),
        model_version="3",
        bundle_hash="0" * 64,
        feature_service="risk_v1",
        data_until=as_of - timedelta(days=3),
        capacity=5,
        rows=rows,
        frequencies={
            Block.DISCUSS: (
                "Van elke 10 leerlingen in dit blok kwamen er vorig jaar ongeveer 3 langdurig "
                "thuis te zitten; 7 dus niet."
            )
        },
        log_head=head,
    )


def _row(
    pupil: Pupil,
    block: Block,
    newness: Newness,
    order: int,
    reasons: tuple[Reason, ...] | None = None,
    support: tuple[str, ...] = (),
) -> ListRow:
    plain = Reason(
        Theme.ABSENCE,
        "In de laatste 4 schoolweken 3 dagen afwezig; in de 8 schoolweken daarvoor 1.",
        (Evidence(date(2026, 10, 29), "ziek", "hele dag"),),
        "Meer dan 20 van de 24 klasgenoten.",
    )
    explanation = Explanation(
        pupil_key=pupil.key,
        reasons=(plain,) if reasons is None else reasons,
        counter_evidence=("Deze week elke dag aanwezig.",),
        support=support,
    )
    return ListRow(pupil.key, block, newness, order, explanation, pupil.group)


def _noors_reasons() -> tuple[Reason, ...]:
    days = [date(2026, 11, day) for day in (2, 3, 9, 10, 11, 13)]
    return (
        Reason(
            Theme.ABSENCE,
            "In de laatste 4 schoolweken 7 dagen afwezig; in de 8 schoolweken daarvoor 4.",
            tuple(Evidence(day, "ziek", "hele dag") for day in days),
            "Meer dan 21 van de 23 klasgenoten.",
        ),
        Reason(
            Theme.PATTERN,
            "6 van de 11 ziektedagen vielen op maandag.",
            (Evidence(date(2026, 11, 9), "ziek", "maandag"),),
        ),
        Reason(
            Theme.SUPPORT,
            "Een arrangement liep tot 10 juli 2026; er is geen vervolg vastgelegd.",
            (Evidence(date(2026, 7, 10), "arrangement", "afgerond"),),
        ),
    )
