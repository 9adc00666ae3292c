"""After a weekly run: every value of a listed pupil as counted that Monday, and of nobody else."""

from datetime import UTC, date, datetime

import numpy as np
import pyarrow.compute as pc
import pytest

from features.catalogue import CATALOGUE
from features.governance import open_ledger
from features.governance.use import Action, Purpose, Use
from features.store import RISK_SERVICE, FeatureStore
from features.vocabulary import Role
from models.registry import Registry
from serving.accounts import Account
from serving.lists import Block, ListRow, ListStore
from serving.models_in_use import ModelsInUse
from serving.premises import Premises
from serving.tables import open_app
from serving.value_desk import NoValues, ValueDesk, WhyNone
from tests.journeys.conftest import MONDAY, Installation

AS_OF = date.fromisoformat(MONDAY)
MOMENT = datetime(2026, 11, 16, 8, tzinfo=UTC)


def test_the_values_of_a_listed_pupil_are_those_the_list_was_made_from(own: Installation) -> None:
    own.run("week", "--as-of", MONDAY)  # the copy's own Feast repository begins with nothing online
    home, engine = own.home, open_app(own.home)
    lists, store = ListStore(engine), FeatureStore.at(own.home)
    desk = ValueDesk.at(home, Premises(home, {}, engine, open_ledger(home)), ModelsInUse(home))
    use = Use("tests", Role.JOB, Purpose.EARLY_WARNING, Action.SHOW, MOMENT)
    rows = store.retrieve(store.entities([AS_OF]), RISK_SERVICE, use)
    seen = 0
    for school in lists.schools():
        account = Account("1", "ib@x.example", "IB", Role.CARE_COORDINATOR, frozenset({school}))
        for row in lists.get(school, AS_OF).rows:
            if row.block is Block.TOO_LITTLE_DATA:
                refused(desk, account, row)
                continue
            view = desk.values(account, row.row_id, MOMENT)
            (counted,) = rows.filter(pc.equal(rows["pupil_key"], row.pupil_key)).to_pylist()
            names = [feature.name for feature in CATALOGUE]
            assert list(view.values) == names and view.as_of == AS_OF
            theirs = np.array([counted[name] for name in names])
            assert np.array_equal([*view.values.values()], theirs, equal_nan=True)
            assert view.weighed == frozenset(Registry.at(home).bundle(1).features)
            seen += 1
    assert seen >= len(lists.schools())


def refused(desk: ValueDesk, account: Account, row: ListRow) -> None:
    with pytest.raises(NoValues) as none:
        desk.values(account, row.row_id, MOMENT)
    assert none.value.why is WhyNone.TOO_LITTLE_DATA
