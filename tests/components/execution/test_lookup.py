"""Results of earlier runs are found whole and fitting, or computed again."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from litegate.execution.step_run import StepRun
from litegate.records import Artifact, DataRef, FileRef, SampleRequest, SampleSet
from litegate.settings import Settings, settings
from litegate.steps import STEPS
from litegate.storage.workspace import Workspace
from tests.components.execution.returned.honest import HONEST, World


@pytest.fixture
def sampling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sampling:
    return Sampling(tmp_path, monkeypatch)


class Sampling:
    """The step `sample`, of which only the child is pretended."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        places = Settings(str(folder / "workspace"), folder / "cache", folder / "scratch", settings().pythons)
        manifest = FileRef(name="manifest.jsonl", digest="a" * 64, bytes=1)
        data = DataRef(uri="data.npz", format="npz", digest="b" * 64, manifest=manifest)
        artifact = Artifact(variant="float32", file=FileRef(name="f", digest="d" * 64, bytes=1), signatures={})
        self.step_run = StepRun(STEPS["sample"], SampleRequest(data=data, artifact=artifact, samples=1, seed=1), places)
        (folder / "samples.npz").write_bytes(b"samples")
        file = self.step_run.workspace.keep_file(folder / "samples.npz", "samples.npz")
        self.made = SampleSet(file=file, samples=1, available=1, labels={})
        self.computed = 0
        self.workspace = folder / "workspace"
        monkeypatch.setattr(self.step_run, "_compute", self._compute)

    def _compute(self, _: SampleRequest) -> SampleSet:
        self.computed += 1
        return self.made

    @property
    def result(self) -> Path:
        """Where it is kept."""
        return self.workspace / "results" / "sample" / f"{self.step_run.key()}.json"


def test_a_result_is_found_with_all_its_files_or_not_at_all(sampling: Sampling) -> None:
    run, made = sampling.step_run.run, sampling.made
    assert sampling.step_run.find() is None
    assert (run(), run(), sampling.computed) == (made, made, 1)
    (sampling.workspace / "files" / made.file.digest).unlink()
    assert sampling.step_run.find() is None
    assert (run(), sampling.computed) == (made, 2)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def _altered(path: Path) -> None:
    """At equal size."""
    content = path.read_bytes()
    assert b'"samples": 1' in content
    path.write_bytes(content.replace(b'"samples": 1', b'"samples": 0'))


def _of_another(path: Path) -> None:
    Workspace(str(path.parents[2]), path.parent).keep_result("sample", "0" * 64, {"samples": 1})
    (path.parent / f"{'0' * 64}.json").replace(path)


def _deep(path: Path) -> None:
    path.write_bytes(b"[" * 100_000)


@pytest.mark.parametrize("damage", [_cut, _altered, _of_another, _deep], ids=lambda function: function.__name__)
def test_a_damaged_result_is_computed_again_and_that_is_said(
    sampling: Sampling, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    sampling.step_run.run()
    damage(sampling.result)
    assert (sampling.step_run.run(), sampling.computed) == (sampling.made, 2)
    assert f"{sampling.result} is damaged: it is removed, and computed again" in caplog.text
    assert (sampling.step_run.run(), sampling.computed) == (sampling.made, 2)


def test_a_stored_result_that_is_not_that_of_its_request_is_computed_again(
    sampling: Sampling, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody who can write to the workspace can give it a digest as well."""
    forged = sampling.made.model_copy(update={"samples": 1000, "available": 1000})
    sampling.step_run.workspace.keep_result("sample", sampling.step_run.key(), forged.to_json())
    assert (sampling.step_run.run(), sampling.computed) == (sampling.made, 1)
    assert "is not one for this request: it is computed again" in caplog.text


@pytest.mark.parametrize("step", ["smoke", "evaluate", "benchmark"])
def test_a_stored_result_of_an_older_form_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, caplog: pytest.LogCaptureFixture
) -> None:
    """These carried the variant's name; whatever else a later form leaves out or adds is treated alike."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    world = World(tmp_path, settings().pythons)
    case = HONEST[step](world)
    several = STEPS[step].each is not None
    request = case.request.model_copy(update={"files": case.request.files[:1]}) if several else case.request
    result = case.result.files[0] if several else case.result
    run = StepRun(STEPS[step], request, world.places)
    for older in (result.to_json() | {"variant": "int8"}, {}, []):
        world.workspace.keep_result(step, run.key(), older)
        assert run.find() is None
        assert "is not one for this request: it is computed again" in caplog.text
        caplog.clear()
        assert world.workspace.result(step, run.key()) is None


def test_latencies_that_are_asked_for_anew_replace_the_stored_ones_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    world = World(tmp_path, settings().pythons)
    case = HONEST["benchmark"](world)

    def run(remeasure: str = "") -> StepRun:
        request = case.request.model_copy(update={"remeasure": remeasure})
        step_run = StepRun(STEPS["benchmark"], request, world.places)
        step_run._compute = lambda _: case.result.model_copy(update={"remeasured": remeasure})  # type: ignore[method-assign]
        return step_run

    stored = run().run()
    assert run().find() == stored
    assert run("monday").run().remeasured == "monday"
    assert run("monday").find().remeasured == run().find().remeasured == "monday", "also for who asks for none"
    assert run("tuesday").find() is None


def test_the_same_result_is_computed_once_at_a_time(sampling: Sampling) -> None:
    """Two threads as in a local run; the second finds what the first has computed."""
    entered, go_on, compute = threading.Event(), threading.Event(), sampling.step_run._compute

    def slow(request: SampleRequest) -> SampleSet:
        entered.set()
        go_on.wait()
        return compute(request)

    sampling.step_run._compute = slow  # type: ignore[method-assign]
    other = StepRun(STEPS["sample"], sampling.step_run.request, sampling.step_run.settings)
    other._compute = lambda request: pytest.fail("it was computed twice")  # type: ignore[method-assign]
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(sampling.step_run.run)
        entered.wait()
        second = pool.submit(other.run)
        go_on.set()
        assert (first.result(), second.result(), sampling.computed) == (sampling.made, sampling.made, 1)
