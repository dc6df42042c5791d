"""What killed processes have left is removed; what living ones, other homes and users own stays."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import pytest
from mlflow import MlflowClient

from litegate.stack import Home, Stack
from litegate.stack.cleaning import clean_files, end_dead_runs
from litegate.storage.scratch import WRITER_TAG, held
from litegate.tracking.runs import Runs
from tests import servers


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.prepare()
    return home


def step_folder(home: Home, name: str) -> Path:
    folder = home.root / "scratch" / name
    (folder / "outputs").mkdir(parents=True)
    os.utime(folder, (0, 0))
    return folder


def temporary(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / ".tmp-abc"
    path.write_bytes(b"half")
    os.utime(path, (0, 0))
    return path


def temporary_folder(folder: Path, name: str) -> Path:
    path = folder / f".tmp-{name}"
    path.mkdir()
    (path / "part").write_bytes(b"half")
    os.utime(path, (0, 0))
    return path


def test_folders_and_files_of_killed_steps_go_and_all_others_stay(home: Home) -> None:
    dead, alive, users = (step_folder(home, name) for name in ("convert-a1", "evaluate-b2", "my notes"))
    places = ["cache/files", "cache/objects", "cache/sets/0a1b", "secrets", "."]
    places += ["workspace/files", "workspace/results/convert"]
    halves = [temporary(home.root / place) for place in places]
    halves.append(temporary_folder(home.root / "cache/sets/0a1b", "dead"))
    fetched_now = temporary_folder(home.root / "cache/sets/0a1b", "alive")
    fresh = home.root / "workspace" / "files" / ".tmp-fresh"
    fresh.write_bytes(b"just now")
    whole = home.root / "workspace" / "files" / ("a" * 64)
    whole.write_bytes(b"whole")

    with held(alive), held(fetched_now):
        assert clean_files(home, Stack.plan(home, {})) == 1 + len(halves)

    assert not dead.exists()
    assert [path for path in halves if path.exists()] == []
    assert all(path.exists() for path in (alive, users, fresh, whole, fetched_now))


def test_runs_of_killed_steps_of_this_home_are_ended_and_all_others_stay(
    home: Home, mlflow_server: servers.MlflowServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = MlflowClient(mlflow_server.url)
    experiment = client.create_experiment("killed steps")
    other = Home(home.root.parent / "other")
    alive = step_folder(home, "register-alive")

    def record(folder: Path) -> str:
        folder.mkdir(parents=True, exist_ok=True)
        monkeypatch.chdir(folder)
        run: str = Runs(client, experiment, "dag/run").open([str(folder)], folder.name, {}).info.run_id
        return run

    dead, living = record(step_folder(home, "register-dead")), record(alive)
    foreign = record(other.root / "scratch" / "register-x")
    host = record(step_folder(home, "register-far"))
    client.set_tag(host, WRITER_TAG, client.get_run(host).data.tags[WRITER_TAG].replace(platform.node(), "another"))
    users = client.create_run(experiment).info.run_id
    stack = Stack.plan(home, {}).model_copy(update={"mlflow_url": mlflow_server.url})

    with held(alive):
        assert end_dead_runs(home, stack) == 1
        assert end_dead_runs(home, stack) == 0

    status = {run: client.get_run(run).info.status for run in (dead, living, foreign, host, users)}
    assert status == {dead: "KILLED", **dict.fromkeys((living, foreign, host, users), "RUNNING")}
    assert client.get_run(dead).info.end_time
    for run in status:
        client.set_terminated(run)


def test_a_start_goes_on_if_mlflow_does_not_answer(home: Home) -> None:
    assert end_dead_runs(home, Stack.plan(home, {})) == 0
