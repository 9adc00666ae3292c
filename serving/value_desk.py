"""Every value that was counted of one listed pupil this Monday, from the online store."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa

from features.errors import NotThere
from features.governance.objections import objected
from features.governance.use import Action, Purpose, Use
from features.settings import Home
from features.store import FeatureStore
from features.vocabulary import PupilKey
from serving.accounts import Account
from serving.beside import BesideStore
from serving.decisions import RowAddress
from serving.identity import PupilName
from serving.lists import Block, ListStore
from serving.models_in_use import ModelsInUse
from serving.premises import Premises
from serving.tables import LISTS


class WhyNone(StrEnum):
    """Why there are no values to show of a pupil."""

    NOT_LISTED = "not_listed"
    TOO_LITTLE_DATA = "too_little_data"
    OBJECTED = "objected"
    NOT_READY = "not_ready"


class NoValues(NotThere):
    """Of this pupil nothing is online; `why` says which of the reasons it is."""

    def __init__(self, why: WhyNone) -> None:
        super().__init__(f"no values of this pupil are online: {why.value}")
        self.why = why


@dataclass(frozen=True)
class ValueView:
    """The values of one pupil by feature, as counted for Monday `as_of`; undefined is NaN.

    `listed_as_of` is the Monday of the list that the page was opened from. `weighed` names the
    features that the model behind the list of `as_of` looks at; empty when that is not known.
    """

    address: RowAddress
    name: PupilName
    school_name: str
    access_reason: str
    as_of: date
    data_until: date | None
    values: Mapping[str, float]
    weighed: frozenset[str]


def why_none(memberships: Mapping[date, Block | None]) -> WhyNone | None:
    """Why a pupil with these places (newest Monday first) has no values online; None: it has.

    >>> why_none({date(2026, 11, 16): Block.FOLLOW, date(2026, 11, 9): None}) is None
    True
    >>> why_none({date(2026, 11, 16): None, date(2026, 11, 9): Block.DISCUSS}).value
    'not_listed'
    >>> why_none({date(2026, 11, 16): Block.TOO_LITTLE_DATA}).value
    'too_little_data'
    """
    match next(iter(memberships.values()), None):
        case None:
            return WhyNone.NOT_LISTED
        case Block.TOO_LITTLE_DATA:
            return WhyNone.TOO_LITTLE_DATA
    return None


class ValueDesk:
    """The only way for a page to the values of a pupil.

    Access first, then the row in the chain, then the store: which asks the gate and writes the
    ledger before it reads.
    """

    def __init__(self, premises: Premises, store: FeatureStore, models: ModelsInUse) -> None:
        self._premises = premises
        self._store = store
        self._models = models
        self._lists = ListStore(premises.engine)
        self._beside = BesideStore(premises.engine)

    @classmethod
    def at(cls, home: Home, premises: Premises, models: ModelsInUse) -> "ValueDesk":
        """The desk of the installation at `home`."""
        return cls(premises, FeatureStore.behind(home, premises.ledger), models)

    def prepare(self) -> None:
        """Do what only the first look has to wait for; about nobody, so not logged.

        Approvals rest on the code that computes the features, and reading that takes a second.
        """
        _ = self._store.service().definitions

    def values(self, account: Account, row_id: str, moment: datetime) -> ValueView:
        """What was counted of the pupil of one row; `NoValues` where nothing is online."""
        address = self._address(row_id)
        school, key = address.school, address.pupil_key
        reason = self._premises.enter(account, school, moment)
        week = {"as_of": address.as_of.isoformat()}
        names = self._premises.names.look(account, school, [key], moment, "values_seen", key, week)
        # Whether a pupil is listed or objected is about that pupil too, so it comes after the row.
        if why := self._why_none(school, key, moment):
            raise NoValues(why)
        as_of, values = self._read(account, school, key, moment)
        data_until, version = self._behind(school, as_of)
        return ValueView(
            address=address,
            name=names[key],
            school_name=self._premises.school_name(school, moment),
            access_reason=reason,
            as_of=as_of,
            data_until=data_until,
            values=values,
            weighed=self._weighed(version),
        )

    def _address(self, row_id: str) -> RowAddress:
        try:
            listed = self._lists.row(row_id)
        except NotThere:
            side = self._beside.row(row_id)
            return RowAddress(row_id, side.school, side.pupil_key, side.as_of)
        return RowAddress(row_id, listed.school, listed.row.pupil_key, listed.as_of)

    def _why_none(self, school: str, key: PupilKey, moment: datetime) -> WhyNone | None:
        if key in objected(self._premises.ledger, moment):
            return WhyNone.OBJECTED
        return why_none(self._lists.membership(school, key))

    def _read(
        self, account: Account, school: str, key: PupilKey, moment: datetime
    ) -> tuple[date, dict[str, float]]:
        use = Use(account.email, account.role, Purpose.EARLY_WARNING, Action.SHOW, moment)
        try:
            found = self._store.read_online([key], use, schools=[school]).to_pylist()[0]
        except NotThere as problem:
            raise NoValues(WhyNone.NOT_READY) from problem
        as_of = found.pop("as_of")
        del found["pupil_key"]
        return as_of, found

    def _behind(self, school: str, as_of: date) -> tuple[date | None, str]:
        """The last day that counted on the list of `as_of`, and its model version.

        None and "" without such a list: values are put online just after the lists are published.
        """
        query = sa.select(LISTS.c.data_until, LISTS.c.model_version).where(
            LISTS.c.school == school, LISTS.c.as_of == as_of
        )
        with self._premises.engine.begin() as connection:
            found = connection.execute(query).one_or_none()
        return (found.data_until, found.model_version) if found else (None, "")

    def _weighed(self, version: str) -> frozenset[str]:
        features = [one.features for one in self._models.all() if str(one.version) == version]
        return frozenset(features[0]) if features else frozenset()
