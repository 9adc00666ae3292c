"""The vault: who a pupil is, sealed; a wrong or lost key is one clear error."""

import base64
import logging
import secrets
import sqlite3
from pathlib import Path

import pytest

from features.errors import VaultError
from features.governance.pseudonyms import is_pseudonym
from features.governance.vault import MASTER_VARIABLE, Identity, Vault
from features.settings import Home

NOOR = Identity("Noor", "van der", "Meerveld", "00123")
SAM = Identity("Sam", "", "Okafor", "124")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_names_come_back_for_the_key_and_only_for_known_keys(home: Home) -> None:
    vault = Vault.open(home, {})
    vault.remember("90AB00", [NOOR, SAM])
    noor, sam, nobody = vault.keys_for("90AB00", ["00123", "124", "125"])
    assert noor is not None
    assert sam is not None
    assert nobody is None
    assert vault.identities([noor, sam]) == {noor: NOOR, sam: SAM}
    assert vault.identities([type(noor)("p1unknown")]) == {}


def test_any_number_of_names_is_asked_for_at_once(home: Home) -> None:
    vault = Vault.open(home, {})
    vault.remember("90AB00", [NOOR])
    [noor] = vault.keys_for("90AB00", ["00123"])
    assert noor is not None
    others = [type(noor)(f"p1{number}") for number in range(300_000)]
    assert vault.identities([*others, noor]) == {noor: NOOR}, "more than a database's parameters"


def test_a_pseudonym_has_a_version_and_nothing_of_the_number(home: Home) -> None:
    vault = Vault.open(home, {})
    [key] = vault.keys_for("90AB00", ["123456"], create=True)
    assert key is not None
    assert key.startswith("p1") and is_pseudonym(key)
    [elsewhere] = vault.keys_for("90CD00", ["123456"], create=True)
    assert key != elsewhere


def test_another_vault_gives_the_same_pupil_another_pseudonym(tmp_path: Path) -> None:
    keys = [
        Vault.open(Home(tmp_path / name), {}).keys_for("90AB00", ["1"], create=True)
        for name in ("one", "two")
    ]
    assert keys[0] != keys[1]


def test_keys_stay_the_same_when_the_vault_is_opened_again(home: Home) -> None:
    first = Vault.open(home, {}).keys_for("90AB00", ["1", "2"], create=True)
    assert Vault.open(home, {}).keys_for("90AB00", ["1", "2"]) == first


def test_leading_zeros_lost_in_a_spreadsheet_make_no_other_pupil(home: Home) -> None:
    vault = Vault.open(home, {})
    vault.remember("90AB00", [NOOR])
    assert vault.keys_for("90AB00", ["123"]) == vault.keys_for("90AB00", ["00123"])
    assert vault.keys_for("90AB00", ["1230"]) == [None]


def test_a_changed_name_is_replaced_under_the_same_key(home: Home) -> None:
    vault = Vault.open(home, {})
    vault.remember("90AB00", [NOOR, SAM])
    before = vault.keys_for("90AB00", ["00123"])
    married = Identity("Noor", "", "Meerveld", "00123")
    assert vault.remember("90AB00", [married, SAM]) == {"00123"}
    assert vault.keys_for("90AB00", ["00123"]) == before
    assert before[0] is not None
    assert vault.identities([before[0]])[before[0]] == married


def test_nothing_readable_is_on_disk_and_only_the_owner_may_read_it(home: Home) -> None:
    Vault.open(home, {}).remember("90AB00", [NOOR])
    stored = b"".join(path.read_bytes() for path in home.root.rglob("*") if path.is_file())
    for text in ("Noor", "Meerveld", "00123"):
        assert text.encode() not in stored
    assert home.key.stat().st_mode & 0o777 == 0o600
    assert home.vault.stat().st_mode & 0o777 == 0o600


def test_a_lost_key_is_never_replaced_by_a_new_one(home: Home) -> None:
    Vault.open(home, {})
    home.key.unlink()
    with pytest.raises(VaultError, match=r"Put the key back .* No new key was made"):
        Vault.open(home, {})
    assert not home.key.exists()


def test_a_wrong_key_is_one_clear_error(home: Home) -> None:
    Vault.open(home, {}).remember("90AB00", [NOOR])
    other = base64.b64encode(secrets.token_bytes(32)).decode()
    with pytest.raises(VaultError, match="does not fit this vault"):
        Vault.open(home, {MASTER_VARIABLE: other})


@pytest.mark.parametrize("text", ["", "no key", base64.b64encode(bytes(16)).decode()])
def test_a_file_that_holds_no_key_says_so_without_showing_it(home: Home, text: str) -> None:
    Vault.open(home, {})
    home.key.write_text(text)
    with pytest.raises(VaultError, match="expected 32 bytes in base64") as problem:
        Vault.open(home, {})
    assert not text or text not in str(problem.value)


def test_a_key_that_others_can_read_is_refused(home: Home) -> None:
    Vault.open(home, {})
    home.key.chmod(0o644)
    with pytest.raises(VaultError, match="chmod 600"):
        Vault.open(home, {})


def test_the_key_can_come_from_the_environment_and_then_no_file_is_made(home: Home) -> None:
    environ = {MASTER_VARIABLE: base64.b64encode(secrets.token_bytes(32)).decode()}
    key = Vault.open(home, environ).keys_for("90AB00", ["1"], create=True)
    assert not home.key.exists()
    assert Vault.open(home, environ).keys_for("90AB00", ["1"]) == key


def test_a_sealed_name_moved_to_another_pupil_does_not_open(home: Home) -> None:
    vault = Vault.open(home, {})
    vault.remember("90AB00", [NOOR, SAM])
    [noor, sam] = vault.keys_for("90AB00", ["00123", "124"])
    with sqlite3.connect(home.vault) as database:
        database.execute(
            "UPDATE pupil SET sealed = (SELECT sealed FROM pupil WHERE pupil_key = ?) "
            "WHERE pupil_key = ?",
            (noor, sam),
        )
    database.close()
    assert sam is not None
    with pytest.raises(VaultError, match="altered or moved"):
        vault.identities([sam])


def test_an_identity_does_not_tell_itself_in_a_log_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        logging.getLogger("test").info("seen %s", [NOOR])
    assert "Noor" not in caplog.text
    assert "Noor" not in f"{NOOR}"


def test_a_damaged_vault_is_one_clear_error(home: Home) -> None:
    Vault.open(home, {})
    home.vault.write_bytes(b"not a database" * 100)
    with pytest.raises(VaultError, match="cannot be opened as a vault"):
        Vault.open(home, {})
