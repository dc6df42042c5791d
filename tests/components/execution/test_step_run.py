"""A step is run, ended and tried again."""

from __future__ import annotations

import dataclasses
import logging
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from litegate.errors import BadInput, StepFailed
from litegate.execution.executors.host import HostExecutor
from litegate.execution.step_run import StepRun
from litegate.failures import Retry
from tests.components.execution.children import LIMIT, Make, limit


def test_a_good_step_returns_its_record(step: Make, tmp_path: Path) -> None:
    assert step("good").run().bytes == 5
    assert (tmp_path / "out").read_text() == "hello"


def test_kill_ends_the_child_and_its_caller_hears_of_it(step: Make) -> None:
    running = step("hangs")
    threading.Timer(1.0, running.kill).start()
    with pytest.raises(StepFailed, match="interrupted"):
        running.run()


@pytest.mark.parametrize(("grace", "cleaned"), [(60, True), (0, False)])
def test_a_step_that_has_something_to_end_elsewhere_is_asked_before_it_is_killed(
    step: Make,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    grace: float,
    cleaned: bool,
) -> None:
    limit(monkeypatch, LIMIT, grace)
    running = step("cleans_up")

    def kill_once_it_is_ready(record: logging.LogRecord) -> bool:
        if record.getMessage() == "ready to end":
            running.kill()
        return True

    monkeypatch.setattr(caplog.handler, "filters", [kill_once_it_is_ready])
    with caplog.at_level(logging.INFO, "litegate"), pytest.raises(StepFailed):
        running.run()
    assert (tmp_path / "cleaned").exists() == cleaned


def test_a_step_that_was_killed_before_it_started_does_not_start(step: Make) -> None:
    running = step("hangs")
    running.kill()
    with pytest.raises(StepFailed, match="interrupted") as caught:
        running.run()
    assert caught.value.kind.retry is Retry.LATER


def test_a_child_that_is_killed_from_outside_is_started_again(
    step: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    killer = threading.Thread(target=_kill_the_first, args=(tmp_path / "begun",))
    killer.start()
    assert step("killed_once").run().bytes == 5
    killer.join()
    assert "prepare: killed from outside (killed): trying again in 0 s (2 of 3)" in caplog.messages
    assert len((tmp_path / "begun").read_text().split()) == 2


def _kill_the_first(file: Path) -> None:
    while not (file.exists() and file.read_text().endswith("\n")):
        time.sleep(0.05)
    os.kill(int(file.read_text()), signal.SIGKILL)


@pytest.mark.parametrize(
    ("function", "kind", "times"), [("dies_always", "killed", 3), ("crashes_always", "segfault", 1)]
)
def test_what_ends_in_the_same_way_again_is_given_up(
    step: Make, tmp_path: Path, function: str, kind: str, times: int
) -> None:
    with pytest.raises(StepFailed) as caught:
        step(function).run()
    assert caught.value.kind == kind
    assert caught.value.kind.retry is not Retry.LATER, "a scheduler would only do the same again"
    assert len((tmp_path / "begun").read_text().split()) == times


def test_who_waits_to_try_again_can_be_ended(step: Make, tmp_path: Path) -> None:
    waiting = step("dies_always")
    waiting.settings = dataclasses.replace(waiting.settings, waits=(600.0,))
    threading.Thread(target=_kill_after, args=(tmp_path / "begun", waiting)).start()
    with pytest.raises(StepFailed, match=r"killed|interrupted"):
        waiting.run()
    assert len((tmp_path / "begun").read_text().split()) == 1


def _kill_after(file: Path, waiting: StepRun) -> None:
    while not file.exists() or not _has_ended(waiting):
        time.sleep(0.05)
    waiting.kill()


def test_the_key_changes_with_the_request_and_the_tools(step: Make, tmp_path: Path) -> None:
    first = step("good").key()
    assert first == step("good").key() != step("bad").key()
    other = step("good")
    other.settings.pythons["service"] = tmp_path / "bin" / "python"
    assert other.key() != first


def _has_ended(waiting: StepRun) -> bool:
    assert isinstance(waiting.executor, HostExecutor)
    process = waiting.executor._process
    return process is not None and process._process.has_ended()


def test_an_executor_that_nobody_knows_is_refused(step: Make) -> None:
    known = step("good")
    with pytest.raises(BadInput, match=r"^LITEGATE_EXECUTOR: expected one of auto, cold, warm, pod, got 'lukewarm'$"):
        StepRun(known.step, known.request, dataclasses.replace(known.settings, executor="lukewarm"))
