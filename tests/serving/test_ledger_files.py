"""The ledger as a file: whom it was about goes along sealed; no cell is a formula."""

import base64
import csv
import hashlib
import io
import json
from dataclasses import replace

import pytest

from features.catalogue import CATALOGUE
from features.errors import VaultError
from features.governance.audit import AuditChain
from features.governance.contracts import read_contracts
from features.governance.database import open_ledger
from features.governance.gate import Gate
from features.governance.keys import LEDGER_KEY
from features.governance.ledger import Ledger
from features.governance.log_names import LogNames
from features.governance.use import Action, Purpose, Use
from features.vocabulary import Role
from serving.ledger_files import COLUMNS, SET_DIGEST, sealed_sets, to_csv, to_json
from tests.serving.invented_school import NOW, OFFICER, SCHOOL, InventedSchool
from tests.serving.visitors import Visit

FEATURE = CATALOGUE[0]
USE = Use("=cmd|' /C calc'!A0", Role.JOB, Purpose.EARLY_WARNING, Action.SCORE, NOW, "run-1")


@pytest.fixture
def ledger(school: InventedSchool) -> Ledger:
    """Noor and Daan in the first use, Daan in the second, a bare number in the third."""
    engine = open_ledger(school.home)
    names = {FEATURE.name: FEATURE.definition_hash}
    decision = Gate(read_contracts(), engine).check(names, USE)
    ledger = Ledger(engine)
    noor, daan = (pupil.key for pupil in school.pupils[:2])
    for pupils in ([noor, daan], [daan], 240):
        ledger.record(USE, "risk_v1", tuple(names), "c" * 64, pupils, [SCHOOL], decision)
    return ledger


def files(ledger: Ledger) -> tuple[str, str]:
    rows, sets = ledger.rows(), ledger.sealed_sets()
    return to_csv(rows, sets), to_json(rows, sets)


def test_no_pseudonym_and_no_name_in_the_log_can_be_read_from_a_file(
    ledger: Ledger, school: InventedSchool
) -> None:
    as_csv, as_json = files(ledger)
    opened = b"".join(sealed_sets(as_json).values())
    with open_ledger(school.home).connect() as connection:
        keys = [pupil.key for pupil in school.pupils]
        known = LogNames(open_ledger(school.home)).known(connection, keys)
    assert len(known) == 2
    for told in (*known, *known.values()):
        plain = told.encode()
        hashes = [hashlib.blake2b(plain, digest_size=8).digest(), hashlib.sha256(plain).digest()]
        for needle in (plain, plain[2:18], base64.b64encode(plain)[:-4], *hashes):
            assert needle not in opened and needle not in (as_csv + as_json).encode()
    first, second = sealed_sets(as_json).values()
    assert first[12:20] != second[12:20], "the same pupil is not recognised in another row"


def test_with_the_key_a_file_answers_whether_a_child_was_in_it(
    ledger: Ledger, school: InventedSchool
) -> None:
    noor, daan, amira = (pupil.key for pupil in school.pupils[:3])
    kept = sealed_sets(files(ledger)[1])
    assert ledger.holding(noor, kept) == {1}
    assert ledger.holding(daan, kept) == {1, 2}
    assert ledger.holding(amira, kept) == frozenset()


def test_without_the_key_or_with_another_it_answers_nothing(
    ledger: Ledger, school: InventedSchool
) -> None:
    noor, kept = school.pupils[0].key, sealed_sets(files(ledger)[1])
    key = school.home.key.parent / LEDGER_KEY
    key.unlink()
    with pytest.raises(VaultError, match="No new key was made"):
        Ledger(open_ledger(school.home)).holding(noor, kept)
    key.write_text(base64.b64encode(bytes(32)).decode(), encoding="ascii")
    key.chmod(0o600)
    other = Ledger(open_ledger(school.home))
    with pytest.raises(VaultError, match=f"{LEDGER_KEY} is not the key of this ledger"):
        other.holding(noor, kept)
    with pytest.raises(VaultError, match=f"{LEDGER_KEY} is not the key of this ledger"):
        AuditChain(open_ledger(school.home)).rows(subject=noor)


def test_a_spreadsheet_gets_the_digest_that_stands_in_the_chain(ledger: Ledger) -> None:
    as_csv, as_json = files(ledger)
    rows = list(csv.DictReader(io.StringIO(as_csv)))
    assert list(rows[0]) == [*COLUMNS, SET_DIGEST]
    in_json = {
        str(one["attributes"]["tijdig.number"]): one["attributes"].get(f"tijdig.{SET_DIGEST}", "")
        for one in json.loads(as_json)
    }
    assert {row["number"]: row[SET_DIGEST] for row in rows} == in_json
    assert [len(row[SET_DIGEST]) for row in rows] == [0, 64, 64]
    types = [one["attributes"]["dpl.core.data_subject_id_type"] for one in json.loads(as_json)]
    assert types == ["number only", *["sealed set, AES-256-GCM, base64"] * 2]
    assert ledger.verify() == (), "the digests are those that the chain sealed"


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_taken_for_a_formula(ledger: Ledger, begin: str) -> None:
    row = replace(ledger.rows()[0], actor=f"{begin}1+1", service=f"{begin}2", run=f"{begin}3")
    (found,) = csv.DictReader(io.StringIO(to_csv([row], {}), newline=""))
    assert not any(str(cell).startswith(begin) for cell in found.values())
    assert found["actor"] == f"'{begin}1+1"


def test_the_page_gives_the_sealed_sets_and_says_what_they_are(
    ledger: Ledger, school: InventedSchool, visit: Visit
) -> None:
    client = visit(OFFICER)
    kept = sealed_sets(client.get("/gebruik/bestand.json").text)
    assert kept == ledger.sealed_sets()
    assert ledger.holding(school.pupils[0].key, kept) == {1}
    assert SET_DIGEST in client.get("/gebruik/bestand.csv").text
    assert "was dit kind erbij?" in client.get("/gebruik").text
