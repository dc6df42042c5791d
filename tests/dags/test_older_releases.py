"""What older releases registered, in runs of this one: new variants meet its champion, which is also watched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from mlflow import MlflowClient

from litegate.records import ChannelState, RegisteredAlias
from litegate.tracking.deciding import state_of
from tests.registering import take
from tests.servers import mlflow_server
from tests.written_by import COMMITS, Written, unpacked

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("warm_steps")]

Run = Callable[..., Any]


@dataclass(frozen=True)
class Upgraded:
    """A home of an older release whose registry and workspace this one goes on with."""

    written: Written
    load_dags: Callable[..., dict[str, Any]]
    run_dag: Run

    def run(self, kind: str, spec_file: str, **sections: dict[str, Any] | str) -> Any:
        """Run the DAG of a spec that the older release had, with other sections."""
        spec = yaml.safe_load((self.written.data / spec_file).read_text())
        folder = self.written.folder / "specs"
        folder.mkdir(exist_ok=True)
        name = spec["model"]["name"]
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(spec | sections))
        run = self.run_dag(self.load_dags(folder, kind=kind)[f"{kind}__{name}"])
        failed = [i.task_id for i in run.get_task_instances() if str(i.state) in ("failed", "upstream_failed")]
        assert failed == []
        return run

    def state(self, name: str) -> ChannelState:
        return state_of(MlflowClient(), RegisteredAlias(registry=name))


def pull(dag_run: Any, task_id: str) -> Any:
    return dag_run.get_task_instance(task_id).xcom_pull(task_ids=task_id)


@pytest.fixture(params=COMMITS[:1])
def upgraded(
    request: pytest.FixtureRequest,
    load_dags: Callable[..., dict[str, Any]],
    run_dag: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Upgraded]:
    written = unpacked(request.param, tmp_path)
    with mlflow_server(written.home / "mlflow") as server:
        monkeypatch.setenv("LITEGATE_HOME", str(tmp_path / "own-home"))
        monkeypatch.setenv("LITEGATE_WORKSPACE", str(written.home / "workspace"))
        monkeypatch.setenv("MLFLOW_TRACKING_URI", server.url)
        yield Upgraded(written, load_dags, run_dag)


def test_an_older_champion_is_compared_with_watched_and_taken_back(upgraded: Upgraded) -> None:
    take(MlflowClient(), "kws", "unfrozen")
    assert upgraded.state("kws").aliases.champion == 1

    gate = {"max_drop": 0.05, "max_drop_from_champion": 0.05}
    run = upgraded.run("quantize", "kws-int8.yaml", variants=["dynamic_range"], gate=gate)
    assert pull(run, "fetch_champion")["version"] == 1
    (verdict,) = (each for each in pull(run, "gate")["gate"]["verdicts"] if each["variant"] == "dynamic_range")
    assert "max_drop_from_champion" in {clause["name"] for clause in verdict["clauses"]}
    assert (upgraded.state("kws").aliases.champion, upgraded.state("kws").aliases.previous) == (3, 1)

    take(MlflowClient(), "kws", "rolled_back")
    assert upgraded.state("kws").aliases.champion == 1
    fresh = {"uri": str(upgraded.written.data / "train.npz"), "format": "npz", "on_failure": "rollback"}
    watched = upgraded.run("requalify", "kws-int8.yaml", requalify=fresh | {"on_drift": "record"})
    assert (pull(watched, "record")["state"], pull(watched, "act")["champion"]) == ("passed", 1)

    upgraded.run("quantize", "asked.yaml", approval="none")
    assert upgraded.state("asked").aliases.champion is not None
