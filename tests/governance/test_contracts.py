"""Contracts: read whole or refused with every problem; a changed definition loses its approval."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from features.catalogue import CATALOGUE
from features.errors import SettingsError
from features.governance.contracts import (
    Approval,
    FeatureContract,
    Sensitivity,
    contract_hash,
    read_contracts,
    write_contracts,
)


def test_every_feature_of_the_catalogue_has_an_approved_contract_for_its_definition() -> None:
    contracts = read_contracts()
    assert list(contracts) == [feature.name for feature in CATALOGUE]
    stale = [
        feature.name
        for feature in CATALOGUE
        if contracts[feature.name].definition_hash != feature.definition_hash
    ]
    assert stale == [], "definitions changed since approval; see write_contracts"
    assert all(contract.approved_on for contract in contracts.values())


def test_health_features_name_their_special_category_and_the_exception() -> None:
    contracts = read_contracts()
    for feature in CATALOGUE:
        contract = contracts[feature.name]
        assert bool(contract.special_category) == feature.health, feature.name
        assert bool(contract.exception) == feature.health, feature.name
        if feature.health:
            assert contract.sensitivity is Sensitivity.HIGH


def test_what_is_written_reads_back_the_same(
    tmp_path: Path, contracts: dict[str, FeatureContract]
) -> None:
    assert read_contracts(tmp_path / "contracts.toml") == contracts


def test_hand_written_terms_are_kept(
    tmp_path: Path, definitions: Any, contracts: dict[str, FeatureContract]
) -> None:
    path = tmp_path / "contracts.toml"
    by_hand = path.read_text().replace('owner = "samenwerkingsverband', 'owner = "onze eigen')
    path.write_text(by_hand)
    again = write_contracts(definitions, path)
    assert path.read_text() == by_hand
    assert again["age_months"].owner.startswith("onze eigen")


def test_a_changed_definition_loses_its_approval_and_no_other_does(
    tmp_path: Path, definitions: Any, contracts: dict[str, FeatureContract]
) -> None:
    first, *others = definitions
    changed = write_contracts(
        [replace(first, definition_hash="a2"), *others], tmp_path / "contracts.toml"
    )
    assert changed["sick_share_4w"].approved_on is None
    assert changed["sick_share_4w"].approved_by == ""
    assert changed["age_months"] == contracts["age_months"]


def test_a_new_feature_is_not_approved_by_being_written(tmp_path: Path, definitions: Any) -> None:
    written = write_contracts(definitions, tmp_path / "new.toml")
    assert {contract.approved_on for contract in written.values()} == {None}


def test_the_hash_of_a_set_of_contracts_follows_any_term_and_no_order(
    contracts: dict[str, FeatureContract],
) -> None:
    versions = list(contracts.values())
    assert contract_hash(versions) == contract_hash(reversed(versions))
    later = replace(versions[0], expires_on=date(2028, 8, 1))
    assert contract_hash([later, *versions[1:]]) != contract_hash(versions)


def test_all_problems_of_the_file_are_reported_at_once(
    tmp_path: Path, definitions: Any, approval: Approval
) -> None:
    path = tmp_path / "contracts.toml"
    write_contracts(definitions, path, approval=approval)
    broken = path.read_text().replace("expires_on = 2027-08-01", 'expires_on = "soon"', 1)
    broken = broken.replace('purpose = ["early_warning"]', 'purpose = ["curiosity"]')
    broken += 'colour = "blue"\n'
    path.write_text(broken)
    with pytest.raises(SettingsError) as refused:
        read_contracts(path)
    for problem in ("contract 1", "contract 2", "contract 3", "curiosity", "unknown: colour"):
        assert problem in str(refused.value)


def test_an_unreadable_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        read_contracts(tmp_path / "nowhere.toml")
