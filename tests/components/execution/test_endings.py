"""How the child of a step can end, and what the caller says of it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from litegate.errors import StepFailed
from litegate.execution.endings import check_ending
from litegate.execution.executor import Ending, PreparedStep
from litegate.execution.executors import process
from litegate.execution.sandbox import Confinement
from litegate.execution.step_run import BadStepInput
from litegate.failures import FailureKind
from litegate.steps import STEPS
from tests.components.execution.children import Make, limit


@pytest.mark.parametrize(
    ("function", "kind", "detail"),
    [
        ("raises", "python_error", "RuntimeError: the converter said no"),
        ("segfaults", "segfault", "SIGSEGV"),
        ("aborts", "abort", "SIGABRT"),
        ("bus_error", "bus_error", "SIGBUS"),
        ("bad_alloc", "out_of_memory", "SIGABRT; last said: terminate called after throwing"),
        ("allocates", "out_of_memory", "MemoryError"),
        ("hides_it", "out_of_memory", "preprocess: expected a sample, got MemoryError"),
        ("interrupted", "signal", "SIGTERM"),
        ("traps", "crash", "SIGTRAP"),
        ("dies", "killed", "SIGKILL"),
        ("exits", "no_result", "exit code 0 without a result"),
        ("leaves", "python_error", "exit code 7"),
        ("fills", "disk_full", "scratch is full; make room there and run it again: OSError: [Errno 28]"),
        ("fills_natively", "disk_full", "scratch is full; make room there and run it again: SIGABRT; last said"),
        ("says_whether_its_folder_is_held", "python_error", "held: True"),
        ("writes_and_crashes", "abort", "SIGABRT"),
        ("nonsense", "forged_result", "the result is not a valid Produced: uri: Field required"),
        ("no_json", "python_error", "exit code 2"),
        ("nested", "python_error", "exit code 2"),
        ("claims", "python_error", "{'a': 1}"),
        ("claims_more", "python_error", "m" * 20_000),
        ("steals", "forged_result", "result.json: expected a plain file"),
    ],
)
def test_a_death_is_reported_as_what_it_was(step: Make, tmp_path: Path, function: str, kind: str, detail: str) -> None:
    with pytest.raises(StepFailed) as caught:
        step(function).run()
    assert caught.value.kind == kind
    assert detail in caught.value.detail
    assert not list((tmp_path / "scratch").iterdir()), "the step's folder is cleaned up"


@pytest.mark.parametrize(("function", "said"), [("hangs", "; last said: still here"), ("stops", "")])
def test_a_child_that_does_not_end_is_ended(
    step: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str, said: str
) -> None:
    limit(monkeypatch, 5)
    with pytest.raises(StepFailed) as caught:
        step(function).run()
    assert (caught.value.kind, caught.value.detail) == ("timeout", f"no result after 5 s{said}")
    assert not list((tmp_path / "scratch").iterdir())


def test_bad_input_keeps_its_message_through_the_process_boundary(step: Make) -> None:
    with pytest.raises(BadStepInput, match=r"^data\.uri: expected a file, got none$"):
        step("bad").run()


def test_bad_input_keeps_its_parts_through_the_process_boundary(step: Make) -> None:
    with pytest.raises(BadStepInput) as caught:
        step("bad").run()
    assert (caught.value.where, caught.value.expected, caught.value.got) == ("data.uri", "a file", "none")


@pytest.mark.parametrize("function", ["crashes_at_the_end", "leaves_a_grandchild", "leaves_the_session", "links"])
def test_what_happens_after_the_result_does_not_matter(step: Make, function: str) -> None:
    begin = time.monotonic()
    assert step(function).run().bytes == 5
    assert time.monotonic() - begin < 30, "nobody waits for what the child has left behind"


def test_a_kill_while_the_kernel_is_short_of_memory_is_named(step: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = iter(range(6))
    monkeypatch.setattr(process, "_oom_kills", lambda: next(counts))
    with pytest.raises(StepFailed, match="ran out of memory") as caught:
        step("dies").run()
    assert caught.value.kind == "oom_killed"
    assert not list(counts), "tried three times"


@dataclass(frozen=True)
class Row:
    """How a process ended, what it left in error.json, and what is told of it."""

    id: str
    ending: Ending
    kind: str
    detail: str
    error: Any = None
    killed: bool = False


def ended(code: int, said: str = "", **facts: Any) -> Ending:
    return Ending(code, said, facts.pop("timed_out", False), facts.pop("memory_short", False), **facts)


LIMIT_BROKEN = ended(1, exceeded=(FailureKind.DISK_LIMIT, "16 GiB"))
SAID = {"message": "they said"}
REFUSED = {"kind": "bad_input", "where": "a", "expected": "b", "got": "c"}
ROWS = (
    Row("time", ended(-9, timed_out=True), "timeout", "no result after 7 s"),
    Row("limit", LIMIT_BROKEN, "disk_limit", "16 GiB"),
    Row("killed by us", ended(-9), "interrupted", "ended with its task", killed=True),
    Row("killed by the kernel", ended(-9, memory_short=True), "oom_killed", "SIGKILL, probably by the kernel"),
    Row("disk, in words", ended(-6, "No space left on device"), "disk_full", "SIGABRT; last said: No space"),
    Row("memory, in words", ended(1, "MemoryError"), "out_of_memory", "exit code 1; last said: MemoryError"),
    Row("described", ended(1, "noise"), "unsupported", "they said", SAID | {"kind": "unsupported"}),
    Row(
        "a crash with last words",
        ended(1, "why"),
        "exit_code",
        "they said; last said: why",
        SAID | {"kind": "exit_code"},
    ),
    Row("a server without an answer", ended(1), "infrastructure", "they said", SAID | {"kind": "infrastructure"}),
    Row("a kind that is none", ended(1), "python_error", "they said", SAID | {"kind": "please_try_again"}),
    Row("a refusal that is none", ended(2), "python_error", "they said", SAID | {"kind": "nonsense"}),
    Row("a refusal with another code", ended(1), "bad_input", "a: expected b, got c", REFUSED),
    Row("nothing", ended(0), "no_result", "exit code 0 without a result"),
)


def prepared(folder: Path) -> PreparedStep:
    confined = Confinement(parent=1, memory=1, file_size=1, confined=True)
    return PreparedStep(STEPS["sample"], folder, folder, (), Path("python"), {}, confined, 7.0)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_an_ending_has_one_kind(row: Row, tmp_path: Path) -> None:
    if row.error is not None:
        (tmp_path / "error.json").write_text(json.dumps(row.error))
    with pytest.raises(StepFailed) as caught:
        check_ending(row.ending, prepared(tmp_path), row.killed)
    assert caught.value.kind == row.kind
    assert caught.value.detail.startswith(row.detail)


def test_bad_input_is_the_error_that_the_step_raised(tmp_path: Path) -> None:
    (tmp_path / "error.json").write_text(json.dumps(REFUSED | {"got": "c\x1b[31m\nd"}))
    with pytest.raises(BadStepInput, match=r"^a: expected b, got c\nd$"):
        check_ending(ended(2), prepared(tmp_path), killed=False)


def test_a_step_that_left_a_result_has_not_failed(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text("{}")
    check_ending(ended(0), prepared(tmp_path), killed=False)
