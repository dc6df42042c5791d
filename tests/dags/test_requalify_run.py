"""The requalify DAG for real: quantized and promoted models meet data that are like those of then, and others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from mlflow import MlflowClient

from litegate.promotion import standing_of
from litegate.records import RegisteredAlias
from litegate.tracking.deciding import state_of

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("warm_steps")]

Change = Callable[[Any], Any]


def as_before(image: Any) -> Any:
    return image


def brighter(image: Any) -> Any:
    """What float32 takes in its stride, and int8 clips nearly everywhere."""
    return 100 * image


def dimmed(image: Any) -> Any:
    """Nothing is clipped, and the answers hardly change."""
    return 0.6 * image


@dataclass
class World:
    """One model, from its spec to its registry."""

    name: str
    folder: Path
    load_dags: Callable[..., dict[str, Any]]
    run_dag: Callable[[Any], Any]
    models: Path

    def spec(self, **keys: Any) -> dict[str, Any]:
        data = {"format": "npz"}
        return {
            "model": {"name": self.name, "uri": str(self.models / "keras3.keras")},
            "calibration": data | {"uri": str(self.models / "calibration.npz"), "samples": 100},
            "evaluation": data | {"uri": str(self.models / "test.npz")},
            "gate": {"max_drop": 0.05},
            "requalify": data | {"uri": "fresh.npz"},
        } | keys

    def write(self, spec: dict[str, Any]) -> None:
        (self.folder / "m.yaml").write_text(yaml.safe_dump(spec))

    def promote(self, variant: str) -> Any:
        self.write(self.spec(variants=[variant]))
        run = self.run_dag(self.load_dags(self.folder)[f"quantize__{self.name}"])
        assert str(run.state) == "success", states(run)
        return run

    def fresh(self, change: Change, seed: int, count: int = 500, turned: int = 0) -> None:
        """New samples of the same kind as the models' own, then changed; their labels may be turned to other ones."""
        rng = np.random.default_rng(seed)
        label = np.arange(count) % 4
        image = rng.uniform(0, 0.5, (count, 8, 8, 1)).astype(np.float32)
        for index, quarter in enumerate(label):
            row, column = 4 * (quarter // 2), 4 * (quarter % 2)
            image[index, row : row + 4, column : column + 4] += 0.5
        np.savez(self.folder / "fresh.npz", image=change(image).astype(np.float32), label=(label + turned) % 4)

    def requalify(self, **keys: Any) -> Any:
        self.write(self.spec(requalify=self.spec()["requalify"] | keys))
        dags = self.load_dags(self.folder, kind="requalify")
        return self.run_dag(dags[f"requalify__{self.name}"])

    def state(self) -> Any:
        return state_of(MlflowClient(), RegisteredAlias(registry=self.name))

    def trend(self) -> dict[str, list[Any]]:
        client = MlflowClient()
        experiment = client.get_experiment_by_name(f"requalify/{self.name}")
        (run,) = client.search_runs([experiment.experiment_id], "tags.trend != ''")
        return {name: client.get_metric_history(run.info.run_id, name) for name in run.data.metrics}


def states(dag_run: Any) -> dict[str, str]:
    return {instance.task_id: str(instance.state) for instance in dag_run.get_task_instances()}


def pull(dag_run: Any, task_id: str, key: str = "return_value") -> Any:
    return dag_run.get_task_instance(task_id).xcom_pull(task_ids=task_id, key=key)


@pytest.fixture
def world(
    load_dags: Callable[..., dict[str, Any]],
    run_dag: Callable[[Any], Any],
    mlflow_server: Any,
    quarters: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    monkeypatch.setenv("LITEGATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LITEGATE_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server.url)
    folder = tmp_path / "specs"
    folder.mkdir()
    return World("quarters", folder, load_dags, run_dag, quarters)


def test_without_a_champion_there_is_nothing_to_requalify(world: World) -> None:
    world.name = "never-promoted"
    world.fresh(as_before, seed=1)
    found = states(world.requalify())
    assert found.pop("snapshot") == "success"
    assert set(found.values()) == {"skipped"}


def test_a_champion_is_watched_kept_and_rolled_back_as_the_data_change(world: World) -> None:
    for variant in ("dynamic_range", "int8"):
        world.promote(variant)
    assert (world.state().aliases.champion, world.state().aliases.previous) == (2, 1)

    world.fresh(as_before, seed=1)
    same = world.requalify(on_failure="rollback")
    assert set(states(same).values()) == {"success"}
    assert pull(same, "record")["state"] == "passed"
    assert not pull(same, "record")["drifted"], pull(same, "drift")
    assert pull(same, "act")["action"] == "none"
    assert {name: [point.step for point in points] for name, points in world.trend().items()}["drop"] == [1]

    world.fresh(dimmed, seed=2)
    drifted = world.requalify(on_failure="rollback", on_drift="alert")
    assert states(drifted)["act"] == "failed"
    assert pull(drifted, "record")["state"] == "passed"
    assert pull(drifted, "act", "acted")["action"] == "alerted"
    assert "the mean of image moved" in pull(drifted, "act", "failure")["message"]
    recorded = world.requalify(on_failure="rollback", on_drift="record")
    assert set(states(recorded).values()) == {"success"}
    assert pull(recorded, "act")["action"] == "recorded"
    assert world.state().aliases.champion == 2

    world.fresh(brighter, seed=3)
    rolled_back = world.requalify(on_failure="rollback", on_drift="record")
    assert set(states(rolled_back).values()) == {"success"}
    assert pull(rolled_back, "act") | {"why": ""} == {"action": "rolled_back", "champion": 1, "why": ""}
    state = world.state()
    assert state.aliases.champion == 1
    assert 2 in standing_of(state.entries).revoked
    entry = state.entries[-1]
    assert (entry.decision.action, entry.before, entry.after) == ("rolled_back", 2, 1)
    assert entry.decision.why.startswith("version 2 (int8) fails on 500 new samples: it loses at least")
    assert entry.decision.actor.startswith("requalify__quarters/")
    assert entry.decision.mlflow_run_id == pull(rolled_back, "record")["mlflow_run_id"]

    world.fresh(as_before, seed=4, turned=1)  # now even float32 is wrong, and no other version is left
    alone = world.requalify(on_failure="rollback", min_value=0.9)
    assert states(alone)["act"] == "failed", pull(alone, "gate")
    assert "it was not rolled back" in pull(alone, "act", "failure")["message"]
    assert world.state().aliases.champion == 1
    assert len(world.state().entries) == len(state.entries)
    assert [point.step for point in world.trend()["drop"]] == [1, 2, 3, 4, 5]
    assert [point.value for point in world.trend()["champion_version"]] == [2, 2, 2, 2, 1]
