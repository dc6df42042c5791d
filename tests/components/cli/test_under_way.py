"""Joining, waiting for, finding and ending runs, at Airflow's real API; there is no scheduler, so runs stay queued."""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from litegate.cli import serving, under_way
from litegate.cli.attempt import Attempt
from litegate.cli.following import find_run, follow_run
from litegate.cli.runs import show
from litegate.cli.serving import served
from litegate.cli.under_way import UnderWay, look, pinned, wait_for
from litegate.errors import BadInput
from litegate.records import Announcement, Overrides, Resolved
from litegate.settings import settings
from litegate.spec import load_spec
from litegate.stack import Home, Stack
from litegate.stack.airflow_api import RunId
from litegate.stack.processes import birth_of
from tests.airflow_server import PASSWORD, ArrangedAirflow, airflow_server
from tests.components.cli.test_ended import CHAMPION, PROMOTION, result

pytestmark = [pytest.mark.usefixtures("warm_steps"), pytest.mark.e2e]

SPEC = """
model: {{name: {name}, uri: model.keras}}
calibration: {{uri: data.npz, format: npz}}
evaluation: {{uri: data.npz, format: npz}}
gate: {{max_drop: {max_drop}}}
"""
MODEL = """
import io, json, sys, zipfile
import h5py
weights = io.BytesIO()
with h5py.File(weights, "w") as file:
    file["weights"] = [1.0] * 100
dense = {"module": "keras.layers", "class_name": "Dense", "registered_name": None, "config": {"name": "d", "units": 3}}
model = {"class_name": "Sequential", "config": {"name": "m", "layers": [dense]}}
with zipfile.ZipFile(sys.argv[1], "w") as archive:
    archive.writestr("config.json", json.dumps(model))
    archive.writestr("metadata.json", json.dumps({"keras_version": "3.0.0"}))
    archive.writestr("model.weights.h5", weights.getvalue())
"""
NAMES = ("joins", "waits", "one", "two", "shown", "ends", "listed")


def pin(home: Home, stack: Stack, path: Path) -> Resolved:
    found = pinned(home, stack, load_spec(path), path)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def specs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the specs, one model and one dataset."""
    folder = tmp_path_factory.mktemp("specs")
    subprocess.run([settings().pythons["tensorflow"], "-c", MODEL, folder / "model.keras"], check=True)
    np.savez(folder / "data.npz", image=np.ones((4, 8), np.float32), label=np.arange(4))
    for name in NAMES:
        (folder / f"{name}.yaml").write_text(SPEC.format(name=name, max_drop=0.02))
    return folder


@pytest.fixture(scope="module")
def airflow(specs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArrangedAirflow]:
    with airflow_server(tmp_path_factory.mktemp("airflow"), specs) as url, ArrangedAirflow(url, PASSWORD) as client:
        yield client


@pytest.fixture(scope="module")
def home(airflow: ArrangedAirflow, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home whose servers are the tests' Airflow, with ourselves as its supervisor."""
    home = Home(tmp_path_factory.mktemp("home"))
    home.prepare()
    home.password_file.write_text(PASSWORD)
    stack = Stack.plan(home, {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9"})
    own = {"pid": os.getpid(), "birth": birth_of(os.getpid()), "phase": "ready"}
    stack.model_copy(update=own | {"airflow_url": airflow.url}).write(home)
    return home


@pytest.fixture(scope="module")
def stack(home: Home) -> Stack:
    found = Stack.read(home)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def now(home: Home, stack: Stack, specs: Path) -> Resolved:
    """What a run of the spec `joins` would pin now."""
    return pin(home, stack, specs / "joins.yaml")


counter = itertools.count(1)


def begun(airflow: ArrangedAirflow, name: str, resolved: Resolved | None = None) -> RunId:
    """A run that is under way, and has pinned its inputs if they are given."""
    run = RunId(f"quantize__{name}", f"litegate-{name}-{next(counter)}")
    airflow.trigger(run)
    if resolved is not None:
        airflow.leave(run, "resolve", "resolved", resolved.to_json())
    return run


def test_a_run_with_the_same_inputs_is_joined_whoever_began_it(airflow, home, stack, specs, now):
    path = specs / "joins.yaml"
    event = Announcement(digest=None, source="the watcher", timestamp="2026-01-01T00:00:00+00:00")
    assert look(airflow, "quantize__joins", lambda: pytest.fail("nothing to compare with")) == UnderWay()
    run = begun(airflow, "joins", now.model_copy(update={"trigger": event}))

    assert look(airflow, run.dag, lambda: pin(home, stack, path)) == UnderWay(same=run)
    assert stack.workspace.startswith(str(home.root)), "pinned where the servers' tasks do"
    airflow.set_run(run, "success")
    assert look(airflow, run.dag, lambda: now) == UnderWay()


def other(now: Resolved, what: str) -> Resolved:
    match what:
        case "spec":
            gate = now.spec.gate.model_copy(update={"max_drop": 0.5})
            return now.model_copy(update={"spec": now.spec.model_copy(update={"gate": gate})})
        case "model" | "evaluation":
            return now.model_copy(update={what: getattr(now, what).model_copy(update={"digest": "f" * 64})})
        case _:
            return now.model_copy(update={"overrides": Overrides(changes=())})


@pytest.mark.parametrize("what", ["spec", "model", "evaluation", "overrides"])
def test_a_run_with_other_inputs_is_waited_for(airflow, now, monkeypatch, capsys, what):
    run = begun(airflow, "waits", other(now, what))
    monkeypatch.setattr(under_way.time, "sleep", lambda _: airflow.set_run(run, "failed"))

    assert look(airflow, run.dag, lambda: None) == look(airflow, run.dag, lambda: now) == UnderWay(busy=run)
    wait_for(airflow, run)
    assert airflow.state(run) == "failed", "it was waited for"
    assert f"waiting for {run.run} of {run.dag}, which began with other inputs, to end" in capsys.readouterr().err


def test_a_run_that_has_not_pinned_its_inputs_is_compared_once_it_has(airflow, now, monkeypatch):
    run = begun(airflow, "joins")
    monkeypatch.setattr(under_way.time, "sleep", lambda _: airflow.leave(run, "resolve", "resolved", now.to_json()))

    assert look(airflow, run.dag, lambda: now) == UnderWay(same=run)
    airflow.set_run(run, "failed")


def test_bad_inputs_of_now_are_an_error_before_anything_is_waited_for(airflow, home, stack, specs, now, tmp_path):
    path = tmp_path / "gone.yaml"
    path.write_text((specs / "waits.yaml").read_text())
    run = begun(airflow, "waits", now)

    with pytest.raises(BadInput, match=r"model\.uri"):
        look(airflow, run.dag, lambda: pin(home, stack, path))
    airflow.set_run(run, "failed")


def test_a_run_is_found_by_its_id_its_model_or_as_the_newest(airflow):
    first, second, ended = begun(airflow, "one"), begun(airflow, "two"), begun(airflow, "one")
    airflow.set_run(ended, "failed")

    assert find_run(airflow, first.run) == first
    assert find_run(airflow, f"{ended.dag}/{ended.run}") == ended
    assert find_run(airflow, "one") == first, "what is under way goes before what has ended"
    assert find_run(airflow, "quantize__two") == find_run(airflow, None) == second
    airflow.set_run(first, "failed")
    airflow.set_run(second, "failed")
    assert find_run(airflow, "one") == ended


def test_an_id_that_several_models_have_needs_its_dag(airflow):
    runs = [RunId(f"quantize__{name}", "manual__2026-01-01T00:00:00+00:00") for name in ("one", "two")]
    for run in runs:
        airflow.trigger(run)
        airflow.set_run(run, "failed")

    with pytest.raises(BadInput, match=r"one of quantize__(one|two)/manual__2026\S+, quantize__"):
        find_run(airflow, "manual__2026-01-01T00:00:00+00:00")
    assert find_run(airflow, "quantize__one/manual__2026-01-01T00:00:00+00:00") == runs[0]


def test_a_name_that_is_neither_a_run_nor_a_model_is_bad_input_that_names_the_models(airflow):
    with pytest.raises(BadInput, match=r"models with a DAG: .*joins.*, got 'jions'"):
        find_run(airflow, "jions")


def test_a_run_that_is_triggered_twice_begins_once(airflow):
    run = begun(airflow, "two")
    airflow.trigger(run)

    assert airflow.under_way(run.dag) == [run]
    airflow.set_run(run, "failed")


def followed(home: Home, tmp_path: Path, name: str) -> tuple[int, dict[str, Any]]:
    code = follow_run(home, name, tmp_path / "out.json")
    return code, json.loads((tmp_path / "out.json").read_text())


def test_following_a_run_that_has_ended_shows_what_it_came_to(airflow, home, stack, now, tmp_path, capsys):
    run = begun(airflow, "shown", now)
    airflow.leave(run, "register", "return_value", result(CHAMPION).to_json())
    airflow.leave(run, "promote", "return_value", PROMOTION.to_json())
    for task in ("register", "promote"):
        airflow.set_task(run, task, "success")
    airflow.set_run(run, "success")

    code, found = followed(home, tmp_path, run.run)
    assert (code, found["outcome"], found["champion"]["version"]) == (0, "promoted", 3)
    assert (found["run"], found["dag"], found["page"]) == (run.run, run.dag, airflow.page_of(run))
    assert "promoted: joins version 3 (int8)" in capsys.readouterr().out
    assert found["report"].startswith(stack.mlflow_url), "MLflow may have had another port then"


def test_whoever_follows_a_run_that_was_ended_is_told_by_whom(airflow, home, tmp_path, capsys):
    run = begun(airflow, "ends")
    airflow.fail(run, "ended by ada@host, who interrupted the command that had begun it")

    code, found = followed(home, tmp_path, run.run)
    assert (code, found["outcome"], found["run"]) == (1, "failed", run.run)
    assert found["error"] == "the run was ended by ada@host, who interrupted the command that had begun it"
    assert "goes on" not in capsys.readouterr().err


@pytest.fixture
def listed(airflow: ArrangedAirflow, now: Resolved) -> Iterator[list[RunId]]:
    """Runs of one model, the oldest first: promoted, ended without a result, and under way."""
    promoted, failed, queued = (begun(airflow, "listed", now) for _ in range(3))
    airflow.leave(promoted, "register", "return_value", result(CHAMPION).to_json())
    airflow.leave(promoted, "promote", "return_value", PROMOTION.to_json())
    for task in ("register", "promote"):
        airflow.set_task(promoted, task, "success")
    airflow.set_run(promoted, "success")
    airflow.fail(failed, "ended by ada@host, who interrupted the command that had begun it")
    yield [promoted, failed, queued]
    airflow.set_run(queued, "failed")


def test_the_runs_of_a_model_are_listed_with_what_came_of_them_and_links(airflow, home, listed, stack, tmp_path):
    out = tmp_path / "out.json"
    assert show(home, "listed", 20, out) == 0

    found = json.loads(out.read_text())
    assert [each["run"] for each in found] == [run.run for run in reversed(listed)], "the newest first"
    assert [each["state"] for each in found] == ["under_way", "failed", "promoted"]
    ada = "ended by ada@host, who interrupted the command that had begun it"
    assert [each["said"] for each in found] == ["queued", ada, "promoted version 3 (int8)"]
    assert [each["page"] for each in found] == [airflow.page_of(run) for run in reversed(listed)]
    assert found[2]["report"].startswith(stack.mlflow_url)
    assert show(home, "listed", 1, out) == 0
    assert [each["run"] for each in json.loads(out.read_text())] == [listed[2].run]


def test_on_a_pipe_each_run_is_a_line_with_its_links(airflow, home, listed, capsys):
    assert show(home, "listed", 3, None) == 0

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 3
    assert re.search(rf" promoted version 3 \(int8\) +{airflow.page_of(listed[0])} +http\S+/#/report$", lines[3])


def test_a_model_without_runs_is_told_with_those_that_are_known(airflow, home):
    with pytest.raises(BadInput, match=r"MODEL: expected a model that has had a run \(.*joins.*, got 'jions'"):
        show(home, "jions", 20, None)


def test_without_servers_there_is_nothing_to_follow(tmp_path, capsys):
    assert follow_run(Home(tmp_path / "empty"), None, None) == 1
    assert "start them with `litegate start`" in capsys.readouterr().err


@pytest.fixture
def interrupted(home: Home, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Attempt]:
    """A command that is interrupted while it follows a run."""
    monkeypatch.setattr(serving, "start_showing", lambda *_: (stack, False))

    def interrupt(run: RunId, **how: bool) -> Attempt:
        attempt = Attempt(home)
        with suppress(KeyboardInterrupt), served(attempt) as (airflow, _):
            attempt.follows(airflow, run, **how)
            raise KeyboardInterrupt
        return attempt

    return interrupt


def test_an_interruption_ends_the_run_that_the_command_began_and_notes_by_whom(airflow, interrupted, monkeypatch):
    monkeypatch.setenv("LITEGATE_ACTOR", "ada")
    run = begun(airflow, "ends")

    attempt = interrupted(run, own=True)
    assert (airflow.state(run), attempt.over) == ("failed", True)
    assert airflow.note(run) == "ended by ada, who interrupted the command that had begun it"
    assert attempt.interrupted == f"interrupted; {run.run} was ended"


def test_an_interruption_leaves_a_run_that_was_joined_and_says_how_to_follow_it(airflow, interrupted, home):
    run = begun(airflow, "ends")

    attempt = interrupted(run, own=False)
    assert airflow.state(run) == "queued"
    follow = f"litegate follow {run.run} --home {home.root}"
    assert attempt.goes_on() == f"{run.run} of {run.dag} goes on in Airflow; follow it with `{follow}`"
    airflow.set_run(run, "failed")


@pytest.mark.parametrize("others", [True, False])
def test_an_interruption_stops_the_servers_that_the_command_started_unless_they_are_used(
    airflow, home, stack, monkeypatch, capsys, others
):
    other = begun(airflow, "two")
    if not others:
        airflow.set_run(other, "failed")
    stopped = []
    monkeypatch.setattr(serving, "start_showing", lambda *_: (stack, True))
    monkeypatch.setattr(serving, "stop", stopped.append)
    attempt = Attempt(home)
    with suppress(KeyboardInterrupt), served(attempt) as (client, _):
        attempt.follows(client, begun(airflow, "ends"), own=True)
        raise KeyboardInterrupt

    assert stopped == ([] if others else [home])
    assert (f"the servers stay up: {other.run} of {other.dag}" in capsys.readouterr().err) == others
    airflow.set_run(other, "failed")


def test_a_run_whose_trigger_was_interrupted_does_not_begin_later(airflow, interrupted):
    """What was sent may still be on its way: it finds the run there, and ended."""
    run = RunId("quantize__ends", "litegate-on-its-way")

    interrupted(run, own=True, confirmed=False)
    airflow.trigger(run)
    assert airflow.state(run) == "failed"
