"""What the steps of a requalification are asked, from the fresh data and the champion."""

from __future__ import annotations

from pathlib import Path

import pytest

from litegate.pipeline.requalification import (
    act_request,
    champion_request,
    drift_request,
    fresh_evaluation_request,
    fresh_gate_request,
)
from litegate.records import Requalification, Snapshot
from litegate.settings import settings
from litegate.spec import with_values
from litegate.variants import BASELINE, CHAMPION
from tests.components.execution.returned.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, settings().pythons)


@pytest.fixture
def snapshot(world: World) -> Snapshot:
    return world.pinned(world.given)


def with_limits(snapshot: Snapshot, section: int | None, variant: int | None) -> Snapshot:
    """Limits on the samples: the section's, and the one that the evaluation has for int8."""
    own = {} if variant is None else {"int8": variant}
    keys = {"requalify.max_samples": section, "evaluation.max_samples_by_variant": own}
    return snapshot.model_copy(update={"spec": with_values(snapshot.spec, keys, "test")})


def test_both_files_meet_the_fresh_data_and_no_other(world: World, snapshot: Snapshot) -> None:
    both = fresh_evaluation_request(snapshot, world.champion, BASELINE, CHAMPION).files
    asked = dict(zip((BASELINE, CHAMPION), both, strict=True))
    assert {name: each.artifact.variant for name, each in asked.items()} == {BASELINE: "float32", CHAMPION: "int8"}
    assert all(each.data == snapshot.data and each.where == "requalify.uri" for each in asked.values())
    assert all(each.stopping is None and not each.references for each in asked.values()), "to the end"


@pytest.mark.parametrize(
    ("section", "variant", "expected"), [(None, None, None), (50, None, 50), (50, 40, 40), (40, 50, 40), (None, 30, 30)]
)
def test_the_smaller_limit_on_the_samples_counts(
    world: World, snapshot: Snapshot, section: int | None, variant: int | None, expected: int | None
) -> None:
    limited = with_limits(snapshot, section, variant)
    baseline, champion = fresh_evaluation_request(limited, world.champion, BASELINE, CHAMPION).files
    assert (champion.max_samples, baseline.max_samples) == (expected, section)


def test_the_gate_judges_the_champion_by_the_limits_of_the_section(world: World, snapshot: Snapshot) -> None:
    spec = with_values(snapshot.spec, {"requalify.max_drop": 0.03}, "test")
    baseline, champion = world.candidate(world.baseline), world.candidate(world.int8)
    asked = fresh_gate_request(snapshot.model_copy(update={"spec": spec}), baseline, champion)
    assert (asked.variants, asked.candidates, asked.baseline) == (("int8",), (champion,), baseline)
    assert asked.policy.max_drop == 0.03
    assert asked.champion is None, "it is not compared with itself"


def test_drift_is_looked_for_in_the_data_that_the_champion_met(world: World, snapshot: Snapshot) -> None:
    evaluated = world.evaluated(world.int8, world.given)
    asked = drift_request(snapshot, world.champion, evaluated)
    assert (asked.data, asked.evaluated, asked.limits) == (snapshot.data, evaluated, snapshot.spec.requalify)


@pytest.mark.parametrize("on_failure", ["alert", "rollback"])
def test_what_follows_is_what_the_section_says_of_the_specs_alias(snapshot: Snapshot, on_failure: str) -> None:
    keys = {"requalify.on_failure": on_failure, "registry.name": "r", "registry.alias": "live"}
    spec = with_values(snapshot.spec, keys, "test")
    found = Requalification(
        number=1,
        version=3,
        variant="int8",
        state="failed",
        broken=True,
        drifted=False,
        sentence="it fails",
        drift="none",
        experiment_id="1",
        mlflow_run_id="r",
    )
    asked = act_request(spec, found, "somebody", "dag/run")
    assert (asked.on_failure, asked.actor, asked.run_key) == (on_failure, "somebody", "dag/run")
    assert (asked.channel.registry, asked.channel.alias) == ("r", "live")
    assert (champion_request(spec.registry).registry, champion_request(spec.registry).alias) == ("r", "live")
