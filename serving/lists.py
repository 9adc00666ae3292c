"""Published lists: what a school's team gets to discuss on a Monday, kept exactly as published."""

import hashlib
import json
import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from features.errors import NotThere, VerificationFailed
from features.vocabulary import PupilKey
from models.reasons import Explanation
from serving.stored_explanations import explanation_from_json, explanation_to_json
from serving.tables import LIST_ROWS, LISTS, writing

MOST_LISTS = 100
"""Lists kept at hand once read and checked; they hold pseudonyms and sentences, no names."""
_HEADER = sa.select(LISTS).where(
    LISTS.c.school == sa.bindparam("school"), LISTS.c.as_of == sa.bindparam("as_of")
)
_STORED_HASH = sa.select(LISTS.c.content_hash).where(
    LISTS.c.school == sa.bindparam("school"), LISTS.c.as_of == sa.bindparam("as_of")
)
_ROWS = (
    sa.select(LIST_ROWS)
    .where(LIST_ROWS.c.list_id == sa.bindparam("list_id"))
    .order_by(LIST_ROWS.c.position)
)


class Block(StrEnum):
    """The part of the list a pupil stands in; within it the order says nothing."""

    DISCUSS = "discuss"
    FOLLOW = "follow"
    TOO_LITTLE_DATA = "too_little_data"

    @property
    def label(self) -> str:
        """The Dutch heading that people read.

        >>> Block.DISCUSS.label
        'Bespreken'
        """
        return _BLOCK_LABELS[self]


_BLOCK_LABELS = {
    Block.DISCUSS: "Bespreken",
    Block.FOLLOW: "Volgen",
    Block.TOO_LITTLE_DATA: "Te weinig gegevens",
}


class Newness(StrEnum):
    """Whether a pupil stood on earlier lists of the school."""

    NEW = "new"
    AGAIN = "again"
    BACK = "back"


@dataclass(frozen=True)
class ListRow:
    """One pupil on one list.

    `order` is for making the list again and is never shown. The store gives the `row_id`: random,
    so that an address in a browser names no pupil.
    """

    pupil_key: PupilKey
    block: Block
    newness: Newness
    order: int
    explanation: Explanation
    group: str = ""
    row_id: str = field(default="", compare=False)


@dataclass(frozen=True)
class PublishedList:
    """The list of one school for one Monday. `data_until` is the last day of which records count.

    `frequencies` holds, per block, the sentence on how it went with such groups before. `log_head`
    is the number of the last delivery in the record log when the list was made: with the Monday it
    says exactly what was known.
    """

    school: str
    as_of: date
    published_at: datetime
    model_version: str
    bundle_hash: str
    feature_service: str
    data_until: date
    capacity: int
    rows: tuple[ListRow, ...]
    frequencies: Mapping[Block, str] = field(default_factory=dict)
    log_head: int = 0

    @property
    def content_hash(self) -> str:
        """The fingerprint of everything but the moment of publication and the row ids."""
        return _fingerprint(self, [_row_content(row) for row in self.rows])


@dataclass(frozen=True)
class PublishedRow:
    """One row together with the list it stands on; the list's own rows are left out."""

    row: ListRow
    school: str
    as_of: date
    published_at: datetime
    model_version: str
    data_until: date
    log_head: int


class ListStore:
    """Published lists in the app database. A list is published once and never changes."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        # By number and fingerprint: what changes in a list changes its fingerprint.
        self._checked: OrderedDict[tuple[str, str], PublishedList] = OrderedDict()

    def publish(
        self,
        lists: Iterable[PublishedList],
        alongside: Callable[[sa.Connection, PublishedList], None] | None = None,
    ) -> int:
        """Publish all lists or none; how many were new. A list that is there already stays.

        The same school and Monday with other content is refused: what people have discussed
        is not rewritten under their hands. `alongside` keeps what belongs to a new list, in the
        same transaction.
        """
        new = 0
        with writing(self.engine) as connection:
            for published in lists:
                if _publish(connection, published):
                    new += 1
                    if alongside is not None:
                        alongside(connection, published)
        return new

    def get(self, school: str, as_of: date) -> PublishedList:
        """The list of `school` for Monday `as_of`, checked against its fingerprint."""
        with self.engine.begin() as connection:
            header = connection.execute(_HEADER, {"school": school, "as_of": as_of}).one_or_none()
            if header is None:
                raise NotThere(
                    f"no list of school {school} for {as_of}; run `tijdig week --as-of {as_of}`"
                )
            key = (header.list_id, header.content_hash)
            if (known := self._checked.get(key)) is not None:
                return known
            rows = connection.execute(_ROWS, {"list_id": header.list_id}).all()
        published = _list_from(header, tuple(_row_from(row) for row in rows))
        # Over the rows as they are stored: the same, without making every explanation again.
        if _fingerprint(published, [_stored_content(row) for row in rows]) != header.content_hash:
            raise VerificationFailed(
                f"the stored list of school {school} for {as_of} no longer fits its fingerprint; "
                "restore the app database from a backup"
            )
        self._checked[key] = published
        while len(self._checked) > MOST_LISTS:
            self._checked.popitem(last=False)
        return published

    def data_until(self, school: str, as_of: date) -> date:
        """The last day of which records count on the list of `as_of`."""
        with self.engine.begin() as connection:
            found = connection.scalar(
                sa.select(LISTS.c.data_until).where(
                    LISTS.c.school == school, LISTS.c.as_of == as_of
                )
            )
        if not isinstance(found, date):
            raise NotThere(f"no list of school {school} for {as_of}")
        return found

    def row(self, row_id: str) -> PublishedRow:
        """One row, found by the id that stands in the address of its page."""
        with self.engine.begin() as connection:
            found = connection.execute(
                sa.select(LIST_ROWS, LISTS).join(LISTS).where(LIST_ROWS.c.row_id == row_id)
            ).one_or_none()
        if found is None:
            raise NotThere("no list has this row; open it from the list of the week")
        return _published_row(found, _row_from(found))

    def beside(self, school: str, as_of: date, row: ListRow) -> PublishedRow:
        """A row that is not on the published list of that week, with what holds for the list."""
        with self.engine.begin() as connection:
            found = connection.execute(
                sa.select(LISTS).where(LISTS.c.school == school, LISTS.c.as_of == as_of)
            ).one_or_none()
        if found is None:
            raise NotThere(f"no list of school {school} for {as_of}; open it from another week")
        return _published_row(found, row)

    def weeks(self, school: str) -> list[date]:
        """The Mondays for which `school` has a list, newest first."""
        with self.engine.begin() as connection:
            return list(
                connection.scalars(
                    sa.select(LISTS.c.as_of)
                    .where(LISTS.c.school == school)
                    .order_by(LISTS.c.as_of.desc())
                )
            )

    def schools(self) -> list[str]:
        """The schools that ever had a list."""
        with self.engine.begin() as connection:
            query = sa.select(LISTS.c.school).distinct().order_by(LISTS.c.school)
            return list(connection.scalars(query))

    def mondays(self) -> list[date]:
        """The Mondays for which any school has a list, newest first."""
        with self.engine.begin() as connection:
            query = sa.select(LISTS.c.as_of).distinct().order_by(LISTS.c.as_of.desc())
            return list(connection.scalars(query))

    def schools_of(self, as_of: date) -> set[str]:
        """The schools that have a list for Monday `as_of`."""
        with self.engine.begin() as connection:
            return set(connection.scalars(sa.select(LISTS.c.school).where(LISTS.c.as_of == as_of)))

    def membership(self, school: str, pupil_key: PupilKey) -> dict[date, Block | None]:
        """For every Monday with a list, newest first: where the pupil stood, or None."""
        return {monday: members.get(pupil_key) for monday, members in self.members(school).items()}

    def members(self, school: str) -> dict[date, dict[PupilKey, Block]]:
        """For every Monday with a list, newest first: who stood where."""
        with self.engine.begin() as connection:
            found = connection.execute(
                sa.select(LISTS.c.as_of, LIST_ROWS.c.pupil_key, LIST_ROWS.c.block)
                .join_from(LISTS, LIST_ROWS, isouter=True)
                .where(LISTS.c.school == school)
                .order_by(LISTS.c.as_of.desc())
            ).all()
        weeks: dict[date, dict[PupilKey, Block]] = {}
        for monday, key, block in found:
            members = weeks.setdefault(monday, {})
            if key is not None:  # a week in which nobody was listed
                members[PupilKey(key)] = Block(block)
        return weeks


def _published_row(header: sa.Row[Any], row: ListRow) -> PublishedRow:
    return PublishedRow(
        row=row,
        school=header.school,
        as_of=header.as_of,
        published_at=header.published_at,
        model_version=header.model_version,
        data_until=header.data_until,
        log_head=header.log_head,
    )


def _publish(connection: sa.Connection, published: PublishedList) -> bool:
    # Written down once, for the fingerprint and for the rows: they are most of the work.
    content = [_row_content(row) for row in published.rows]
    fingerprint = _fingerprint(published, content)
    stored = connection.scalar(_STORED_HASH, {"school": published.school, "as_of": published.as_of})
    if stored == fingerprint:
        return False
    if stored is not None:
        raise VerificationFailed(
            f"school {published.school} already has a list for {published.as_of} with other "
            "content; a published list stays as it is, nothing was published"
        )
    list_id = secrets.token_hex(16)
    header = {
        **_header(published),
        "list_id": list_id,
        "as_of": published.as_of,
        "data_until": published.data_until,
        "published_at": published.published_at,
        "content_hash": fingerprint,
    }
    connection.execute(LISTS.insert(), header)
    if content:
        ids = {"list_id": list_id}
        rows = [{**row, **ids, "row_id": secrets.token_hex(16)} for row in content]
        connection.execute(LIST_ROWS.insert(), rows)
    return True


def _header(published: PublishedList) -> dict[str, Any]:
    return {
        "school": published.school,
        "model_version": published.model_version,
        "bundle_hash": published.bundle_hash,
        "feature_service": published.feature_service,
        "capacity": published.capacity,
        "log_head": published.log_head,
        "frequencies": {str(Block(block)): text for block, text in published.frequencies.items()},
    }


def _row_content(row: ListRow) -> dict[str, Any]:
    return {
        "pupil_key": row.pupil_key,
        "block": Block(row.block).value,
        "newness": Newness(row.newness).value,
        "position": row.order,
        "group_name": row.group,
        "explanation": explanation_to_json(row.explanation),
    }


def _stored_content(row: sa.Row[Any]) -> dict[str, Any]:
    return {
        "pupil_key": row.pupil_key,
        "block": row.block,
        "newness": row.newness,
        "position": row.position,
        "group_name": row.group_name,
        "explanation": row.explanation,
    }


def _fingerprint(published: PublishedList, rows: list[dict[str, Any]]) -> str:
    content = {
        **_header(published),
        "as_of": published.as_of.isoformat(),
        "data_until": published.data_until.isoformat(),
        "rows": rows,
    }
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _list_from(header: sa.Row[Any], rows: tuple[ListRow, ...]) -> PublishedList:
    return PublishedList(
        school=header.school,
        as_of=header.as_of,
        published_at=header.published_at,
        model_version=header.model_version,
        bundle_hash=header.bundle_hash,
        feature_service=header.feature_service,
        data_until=header.data_until,
        capacity=header.capacity,
        rows=rows,
        frequencies={Block(block): text for block, text in header.frequencies.items()},
        log_head=header.log_head,
    )


def _row_from(row: sa.Row[Any]) -> ListRow:
    return ListRow(
        pupil_key=PupilKey(row.pupil_key),
        block=Block(row.block),
        newness=Newness(row.newness),
        order=row.position,
        explanation=explanation_from_json(PupilKey(row.pupil_key), row.explanation),
        group=row.group_name,
        row_id=row.row_id,
    )
