"""How the child of a step can end, and what the caller says of it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from litegate.errors import StepFailed
from litegate.execution.executors import process
from litegate.execution.step_run import BadStepInput
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
