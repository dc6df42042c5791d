"""What the file system says of files tells whether they have changed."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from litegate.execution.file_state import State, source_files, state_of


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is written now was written long ago."""
    now = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now() + 3_000_000_000)


def state(folder: Path) -> State:
    return state_of(source_files(str(folder)))


def test_it_is_the_same_as_long_as_nothing_changes(tmp_path: Path, settled: None) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "a.py").write_text("first\n")
    before = state(tmp_path)
    (tmp_path / "notes.txt").write_text("no source\n")
    assert state(tmp_path) == before
    (tmp_path / "b.py").write_text("")
    assert state(tmp_path) != before


def test_a_change_that_hides_its_time_and_keeps_the_size_is_seen(tmp_path: Path, settled: None) -> None:
    path = tmp_path / "a.py"
    path.write_text("first\n")
    before, status = state(tmp_path), path.stat()
    while True:  # until the coarse clock of the file system has another time
        path.write_text("other\n")
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        if path.stat().st_ctime_ns != status.st_ctime_ns:
            break
    assert path.stat().st_mtime_ns == status.st_mtime_ns
    assert state(tmp_path) != before


def test_what_has_changed_just_now_counts_as_changed_again(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("")
    assert state(tmp_path) != state(tmp_path)


def test_of_nothing_there_is_a_state(tmp_path: Path, settled: None) -> None:
    assert state(tmp_path) == ()
