"""How the child of a step can end, and what the caller says of it."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from litegate import runner
from litegate.errors import StepFailed
from litegate.records import ProduceRequest
from litegate.runner import BadStepInput, StepRun
from litegate.settings import Settings, settings
from litegate.steps import STEPS

CODE = """
import os, signal, sys, time
from litegate.errors import DataError
def good(folder):
    path = folder / "file"
    path.write_text("hello")
    return path
def bad(folder): raise DataError("data.uri", "a file", "none")
def raises(folder): raise RuntimeError("the converter said no")
def segfaults(folder): os.kill(os.getpid(), signal.SIGSEGV)
def aborts(folder): os.abort()
def exits(folder): os._exit(0)
def hangs(folder):
    print("still here", flush=True)
    time.sleep(600)
def leaks(folder):
    secrets = [name for name in os.environ if name.startswith(("AIRFLOW", "MLFLOW_"))]
    raise RuntimeError(f"secrets: {secrets}")
"""


@pytest.fixture
def step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], StepRun]:
    (tmp_path / "endings.py").write_text(CODE)
    python = settings().pythons["service"]
    places = Settings(str(tmp_path / "ws"), tmp_path / "cache", tmp_path / "scratch", {"service": python})
    quick = dataclasses.replace(STEPS["prepare"], timeout=3)
    monkeypatch.setattr(runner, "STEPS", {"prepare": quick})

    def make(function: str) -> StepRun:
        request = ProduceRequest(
            entry_point=f"endings:{function}", folder=str(tmp_path), arguments={}, uri=str(tmp_path / "out")
        )
        return StepRun("prepare", request, places)

    return make


@pytest.mark.parametrize(
    ("function", "kind", "detail"),
    [
        ("raises", "python_error", "RuntimeError: the converter said no"),
        ("segfaults", "segfault", "SIGSEGV"),
        ("aborts", "abort", "SIGABRT"),
        ("exits", "no_result", "exit code 0 without a result"),
        ("hangs", "timeout", "no result after 3 s; last said: still here"),
    ],
)
def test_a_death_is_reported_as_what_it_was(
    step: Callable[[str], StepRun], tmp_path: Path, function: str, kind: str, detail: str
) -> None:
    with pytest.raises(StepFailed) as caught:
        step(function).run()
    assert caught.value.kind == kind
    assert detail in caught.value.detail
    assert not list((tmp_path / "scratch").iterdir()), "the step's folder is cleaned up"


def test_bad_input_keeps_its_message_through_the_process_boundary(step: Callable[[str], StepRun]) -> None:
    with pytest.raises(BadStepInput, match=r"^data\.uri: expected a file, got none$"):
        step("bad").run()


def test_a_good_step_returns_its_record(step: Callable[[str], StepRun], tmp_path: Path) -> None:
    assert step("good").run().bytes == 5
    assert (tmp_path / "out").read_text() == "hello"


def test_kill_ends_the_child_and_its_caller_hears_of_it(step: Callable[[str], StepRun]) -> None:
    running = step("hangs")
    threading.Timer(1.0, running.kill).start()
    begin = time.monotonic()
    with pytest.raises(StepFailed, match="killed"):
        running.run()
    assert time.monotonic() - begin < 3


def test_the_child_gets_none_of_airflows_and_mlflows_secrets(
    step: Callable[[str], StepRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "secret")
    running = step("leaks")
    running.step = dataclasses.replace(running.step, environment="tensorflow")
    running.settings.pythons["tensorflow"] = running.settings.pythons["service"]
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "secret")
    with pytest.raises(StepFailed, match=r"secrets: \[\]"):
        running.run()


def test_steps_without_storage_get_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    for name, expected in (("convert", False), ("quantize", False), ("evaluate", True)):
        environment = runner._child_environment(STEPS[name], Path("folder"))
        assert ("AWS_SECRET_ACCESS_KEY" in environment) is expected, name


def test_the_key_changes_with_the_request_and_the_tools(step: Callable[[str], StepRun], tmp_path: Path) -> None:
    first = step("good").key()
    assert first == step("good").key() != step("bad").key()
    other = step("good")
    other.settings.pythons["service"] = tmp_path / "bin" / "python"
    assert other.key() != first
