"""What a step's processes and files are counted as."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from litegate.execution.sandbox import usage
from litegate.execution.sandbox.usage import CannotCount, bytes_below, bytes_deleted
from litegate.execution.sandbox.watch import Watch, descendants

GIB = 1 << 30


@pytest.fixture
def proc() -> Iterator[int]:
    descriptor = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)
    yield descriptor
    os.close(descriptor)


def test_a_file_counts_what_it_claims_and_takes_and_at_least_something(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "real").write_bytes(bytes(1 << 20))
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(GIB)
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "link").symlink_to("/usr")
    assert sorted(bytes_below(str(tmp_path))) == [16384, 16384, 16384, 1 << 20, GIB]
    assert list(bytes_below(str(tmp_path / "gone"))) == []


def test_what_cannot_be_counted_is_not_left_out(tmp_path: Path) -> None:
    inner = tmp_path
    for _ in range(70):
        inner = inner / "d"
    inner.mkdir(parents=True)
    with pytest.raises(CannotCount, match="more than 64 deep"):
        list(bytes_below(str(tmp_path)))


def test_deleted_files_that_are_open_count_once(tmp_path: Path, proc: int) -> None:
    with (tmp_path / "file").open("wb") as file, (tmp_path / "other").open("wb") as other, os.fdopen(os.dup(2), "wb"):
        file.truncate(GIB)
        again = os.dup(file.fileno())
        other.truncate(GIB)
        (tmp_path / "file").unlink()
        assert list(bytes_deleted(proc, [os.getpid()])).count(GIB) == 1
        os.close(again)


def test_descendants_are_found_among_all_processes(proc: int) -> None:
    with subprocess.Popen(["/bin/sh", "-c", "sleep 600 & echo $!; wait"], stdout=subprocess.PIPE, text=True) as shell:
        assert shell.stdout is not None
        inner = int(shell.stdout.readline())
        found = descendants(proc, shell.pid)
        assert {shell.pid, inner} <= set(descendants(proc, os.getpid()))
        os.kill(inner, 9)
        shell.kill()
    assert found == [inner]


def test_a_full_disk_is_told_from_a_step_that_wrote_too_much(
    tmp_path: Path, proc: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def left(free: int, size: int) -> None:
        blocks = SimpleNamespace(f_frsize=4096, f_blocks=size // 4096, f_bavail=free // 4096)
        monkeypatch.setattr(usage.os, "statvfs", lambda path: blocks)

    watch = Watch(str(tmp_path), GIB, 1000, proc, lambda proc: [os.getpid()])
    left(GIB, 100 * GIB)
    assert watch.look() is None
    left(1 << 27, 100 * GIB)
    exceeded = watch.look()
    assert exceeded is not None
    assert exceeded.kind == "disk_full"
    left(1 << 27, GIB)
    assert watch.look() is None, "which is much of a small disk"
