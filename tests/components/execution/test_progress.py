"""What a step keeps of a try is there for the next one, as long as a next one can help."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest

from litegate.errors import BadInput, StepFailed
from litegate.execution.progress import progress_folder


def test_it_is_gone_once_there_is_a_result(tmp_path: Path) -> None:
    with progress_folder(tmp_path, "quantize-1") as folder:
        assert (folder.parent.parent, folder.stat().st_mode & 0o777) == (tmp_path, 0o700)
        (folder / "measured").write_text("1")
    assert not folder.exists()


def tried(cache: Path, error: BaseException) -> Path:
    """The folder of a try that leaves something and ends with an error."""
    with suppress(type(error)), progress_folder(cache, "quantize-1") as folder:
        (folder / "measured").write_text("1")
        raise error
    return cache / "progress" / "quantize-1"


FROM_OUTSIDE = [StepFailed("quantize", kind, "from outside") for kind in ("interrupted", "killed", "oom_killed")]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), *FROM_OUTSIDE], ids=repr)
def test_it_stays_where_the_worker_or_its_child_was_killed(tmp_path: Path, error: BaseException) -> None:
    assert (tried(tmp_path, error) / "measured").exists()
    with progress_folder(tmp_path, "quantize-1") as folder:
        assert (folder / "measured").read_text() == "1"


@pytest.mark.parametrize("error", [StepFailed("quantize", "segfault", "SIGSEGV"), BadInput("a", "b", "c")], ids=repr)
def test_what_may_be_the_cause_of_a_failure_goes_with_it(tmp_path: Path, error: Exception) -> None:
    assert not tried(tmp_path, error).exists()


def test_what_nobody_has_come_back_for_is_forgotten(tmp_path: Path) -> None:
    old, young = (tmp_path / "progress" / name for name in ("quantize-1", "quantize-2"))
    for each in (old, young):
        each.mkdir(parents=True)
    os.utime(old, (0, 0))
    with progress_folder(tmp_path, "quantize-3"):
        assert (old.exists(), young.exists()) == (False, True)
