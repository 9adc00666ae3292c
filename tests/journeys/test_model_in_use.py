"""The weekly run publishes nothing for a model that only MLflow's alias calls the champion."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from features.errors import VerificationFailed
from models.registry import Registry

MONDAY = "2026-11-16"


def test_an_alias_that_was_moved_by_hand_publishes_nothing(own: Any) -> None:
    registry = Registry.at(own.home)
    model = registry.bundle(1)
    other = replace(model, metadata=replace(model.metadata, label="past the gate"))
    with registry.run("by hand", "past the gate", datetime(2026, 11, 9, tzinfo=UTC)) as run:
        run.bundle(other)
    registry.set_champion(registry.register(run.run_id))
    refused = own.run("week", "--as-of", MONDAY, code=17)
    assert isinstance(refused.exception, VerificationFailed)
    assert "nothing is published" in str(refused.exception)
