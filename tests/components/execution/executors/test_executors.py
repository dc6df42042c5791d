"""An executor more is a module and a row: this one runs a step as if on another host, and all else stays the same."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, ClassVar

import pytest

from litegate.errors import BadInput, StepFailed
from litegate.execution import executors
from litegate.execution.executor import Ending, Executor, PreparedStep
from litegate.execution.executors.output import StepOutput
from litegate.execution.executors.process import ChildProcess
from litegate.execution.executors.started import StartedProcess
from litegate.execution.step_run import StepRun
from litegate.inspection.tflite import describe
from litegate.records import Artifact, DataRef, InspectRequest, SampleRequest
from litegate.settings import Settings, settings
from litegate.steps import STEPS
from litegate.storage.workspace import Workspace
from tests.components.execution.children import Make, maker

PROGRAM = """
import importlib, os, sys
from pathlib import Path
program, step, folder, cache = sys.argv[1:5]
code = importlib.import_module(program).run_step(step, Path(folder), Path(cache), ("everything: it is a toy",))
sys.stdout.flush()
os._exit(code)
"""


class ElsewhereExecutor(Executor):
    """Carries what a step needs to a folder of its own, runs it there without a sandbox, and carries back the rest.

    The process sees neither the work folder nor the cache of its caller, as in a pod.
    """

    started: ClassVar[list[str]] = []

    def __init__(self) -> None:
        self._process: ChildProcess | None = None
        self._killed = threading.Event()

    def run(self, prepared: PreparedStep, say: Callable[[str], None]) -> Ending:
        self.started.append(prepared.step.name)
        with tempfile.TemporaryDirectory() as place:
            there = self._carry_there(prepared, Path(place))
            ending = self._follow(there, say)
            self._carry_back(there.folder, prepared.folder)
        return ending

    def kill(self) -> None:
        self._killed.set()
        if self._process is not None:
            self._process.kill()

    def _carry_there(self, prepared: PreparedStep, place: Path) -> PreparedStep:
        folder, files = place / "work", place / "cache" / "files"
        folder.mkdir()
        files.mkdir(parents=True)
        for path in prepared.files:
            shutil.copyfile(path, files / path.name)
        shutil.copyfile(prepared.folder / "request.json", folder / "request.json")
        return replace(prepared, folder=folder, cache=place / "cache", environment=moved(prepared, folder))

    def _follow(self, there: PreparedStep, say: Callable[[str], None]) -> Ending:
        arguments = [there.step.program, there.step.name, str(there.folder), str(there.cache)]
        command = [str(there.python), "-c", PROGRAM, *arguments]
        output = StepOutput(there.step.name)
        process = StartedProcess(command, there.environment, there.folder)
        self._process = ChildProcess(process, output.hears, say)
        if self._killed.is_set():
            self._process.kill()
        return replace(self._process.follow(there.seconds), not_isolated=("everything: it is a toy",))

    def _carry_back(self, there: Path, here: Path) -> None:
        for name in ("result.json", "error.json"):
            if (there / name).exists():
                shutil.copyfile(there / name, here / name)
        if (there / "outputs").exists():
            shutil.copytree(there / "outputs", here / "outputs")


def moved(prepared: PreparedStep, folder: Path) -> dict[str, str]:
    """The environment without a path of the caller's."""
    here = str(prepared.folder)
    return {name: str(folder) if value == here else value for name, value in prepared.environment.items()}


@pytest.fixture(autouse=True)
def one_row_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executors, "EXECUTORS", {**executors.EXECUTORS, "elsewhere": lambda _: ElsewhereExecutor()})
    monkeypatch.setattr(ElsewhereExecutor, "started", [])


def test_the_environment_names_the_executor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert settings(tmp_path).executor == "auto"
    monkeypatch.setenv("LITEGATE_EXECUTOR", "elsewhere")
    assert settings(tmp_path).executor == "elsewhere"
    make = maker(tmp_path, monkeypatch, settings(tmp_path).executor)
    assert make("good").run().bytes == 5
    assert ElsewhereExecutor.started == ["prepare"]


def test_an_executor_that_needs_what_is_not_installed_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    entry = EntryPoint("far", "nothing_of_this_name.executor:FarExecutor", "litegate.executors")
    monkeypatch.setattr(executors, "entry_points", lambda group: [entry] if group == entry.group else [])
    with pytest.raises(BadInput, match=r"executor far needs, .*, got no module nothing_of_this_name$"):
        executors.new_executor(replace(settings(tmp_path), executor="far"))


def outcome(make: Make, function: str) -> tuple[Any, ...]:
    """What the caller hears, without the paths of one home."""
    try:
        return ("done", make(function).run().digest)
    except StepFailed as error:
        return (error.kind, error.detail)
    except BadInput as error:
        return (type(error), error.where, error.expected, error.got)


ENDINGS = ("good", "bad", "raises", "segfaults", "aborts", "dies", "exits", "leaves", "allocates", "nonsense", "claims")


@pytest.mark.parametrize("function", ENDINGS)
def test_an_ending_is_the_same_whoever_ran_it(
    function: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [
        outcome(maker(tmp_path_factory.mktemp(name), monkeypatch, name), function) for name in ("cold", "elsewhere")
    ]
    assert found[0] == found[1]


def test_an_ended_run_is_interrupted_whoever_runs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    running = maker(tmp_path, monkeypatch, "elsewhere")("hangs")
    threading.Timer(1.0, running.kill).start()
    with pytest.raises(StepFailed, match="interrupted"):
        running.run()


def test_one_that_was_ended_from_outside_is_tried_again_by_its_executor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StepFailed, match="killed"):
        maker(tmp_path, monkeypatch, "elsewhere")("dies_always").run()
    assert ElsewhereExecutor.started == ["prepare"] * 3


@pytest.fixture
def inspecting(tmp_path: Path, tflite_files: dict[str, Path]) -> Callable[..., StepRun]:
    """A step that reads files of its request."""
    places = Settings(str(tmp_path / "ws"), tmp_path / "cache", tmp_path / "scratch", settings().pythons)
    workspace = Workspace(places.workspace, tmp_path / "filling")

    def artifact(variant: str) -> Artifact:
        path = tflite_files[variant]
        file = workspace.keep_file(path, f"{variant}.tflite")
        return Artifact(variant=variant, file=file, signatures=describe(path.read_bytes()))

    baseline, int8 = artifact("float32"), artifact("int8")
    request = InspectRequest(artifact=int8, baseline=baseline, source="m.keras", target="cpu")
    return lambda executor: StepRun(STEPS["inspect"], request, replace(places, executor=executor))


@pytest.mark.parametrize(("first", "second"), [("elsewhere", "cold"), ("cold", "elsewhere")])
def test_what_one_executor_computed_is_found_for_another(
    inspecting: Callable[..., StepRun], first: str, second: str
) -> None:
    computed = inspecting(first).run()
    assert inspecting(second).find() == inspecting(second).run() == computed
    assert ElsewhereExecutor.started == ["inspect"] * (first == "elsewhere")


def test_both_compute_the_same(inspecting: Callable[..., StepRun], tmp_path: Path) -> None:
    one = inspecting("elsewhere").run()
    shutil.rmtree(tmp_path / "ws" / "results")
    assert inspecting("cold").run() == one


def test_files_are_carried_there_and_back_and_then_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program of the test's own in the place of the step `sample`."""
    (tmp_path / "sampling.py").write_text(SAMPLES)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    python = settings().pythons["service"]
    places = Settings(str(tmp_path / "ws"), tmp_path / "cache", tmp_path / "scratch", {"service": python})
    (tmp_path / "manifest").write_bytes(b"")
    manifest = Workspace(places.workspace, tmp_path / "filling").keep_file(tmp_path / "manifest", "manifest.jsonl")
    data = DataRef(uri="data.npz", format="npz", digest="b" * 64, manifest=manifest)
    artifact = Artifact(variant="float32", file=manifest, signatures={})
    request = SampleRequest(data=data, artifact=artifact, samples=1, seed=1)
    step = replace(STEPS["sample"], environment="service", program="sampling")

    made = StepRun(step, request, replace(places, executor="elsewhere")).run()
    assert (tmp_path / "ws" / "files" / made.file.digest).read_bytes() == manifest.digest.encode()
    assert StepRun(step, request, places).find() == made
    assert not list(places.scratch.iterdir())


SAMPLES = """
import hashlib, json, os

def run_step(name, folder, cache, missing):
    data = ",".join(os.listdir(cache / "files")).encode()
    digest = hashlib.sha256(data).hexdigest()
    (folder / "outputs").mkdir()
    (folder / "outputs" / digest).write_bytes(data)
    file = {"name": "samples.npz", "digest": digest, "bytes": len(data)}
    result = {"file": file, "samples": 1, "available": 1, "labels": {}}
    (folder / "result.json").write_text(json.dumps(result))
    return 0
"""
