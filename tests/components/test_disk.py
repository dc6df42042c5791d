"""A disk that is full, or nearly so, on a file system of its own that has 64 KiB."""

from __future__ import annotations

import errno
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from litegate import disk
from litegate.diagnosis import kind_of
from litegate.errors import DiskFull, StackError, StepFailed
from litegate.execution.endings import last_words
from litegate.execution.executor import Ending
from litegate.failures import FailureKind, Retry
from litegate.stack import Home, start
from litegate.stack.home import write_private

WRITES = """
import sys
from pathlib import Path
from litegate.errors import DiskFull
from litegate.stack.home import write_private
from litegate.storage.whole_files import write_whole
folder = Path(sys.argv[1])
for write in (
    lambda: write_whole(folder / "a", iter((b"x" * 100_000,))),
    lambda: write_private(folder / "b", "x" * 100_000),
):
    try:
        write()
    except DiskFull as error:
        print(error)
print(sorted(path.name for path in folder.iterdir()))
"""


def test_what_does_not_fit_is_refused_with_the_folder_and_leaves_nothing(tmp_path: Path) -> None:
    mounted = f'mount -t tmpfs -o size=64k none "{tmp_path}" && exec "$0" -c "$1" "{tmp_path}"'
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mounted, sys.executable, WRITES]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    said = f"the disk of {tmp_path} is full; make room there and run it again"
    assert done.stdout.splitlines() == [said, said, "[]"]


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        type("ResourceExhaustedError", (Exception,), {})("/tmp/x; No space left on device"),
        RuntimeError("(sqlite3.OperationalError) database or disk is full"),
        DiskFull("/somewhere"),
    ],
)
def test_a_full_disk_is_told_from_other_ends_and_not_tried_again(error: Exception) -> None:
    assert kind_of(error) == FailureKind.DISK_FULL
    assert FailureKind.DISK_FULL.retry is Retry.NEVER


def test_a_program_that_says_so_and_ends_had_a_full_disk() -> None:
    ending = Ending(code=1, said="cp: error writing 'x': No space left on device", timed_out=False, memory_short=False)
    assert last_words(ending) == (FailureKind.DISK_FULL, "exit code 1")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "the disk of /scratch is full"),
        (DiskFull("/workspace"), "the disk of /workspace is full"),
        (
            StepFailed("convert", FailureKind.DISK_FULL, "OSError: No space left on device"),
            "the disk of /scratch is full",
        ),
        (
            StepFailed("convert", FailureKind.DISK_FULL, "DiskFull: the disk of /cache is full"),
            "DiskFull: the disk of /cache is full",
        ),
    ],
)
def test_a_steps_failure_names_the_folder_whose_disk_is_full(error: Exception, said: str) -> None:
    with pytest.raises(StepFailed) as raised, disk.failing_when_full("convert", Path("/scratch")):
        raise error
    assert raised.value.kind == FailureKind.DISK_FULL
    assert raised.value.detail.startswith(said)


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(PermissionError), disk.failing_when_full("convert", Path("/scratch")):
        raise PermissionError(errno.EACCES, "no")
    with pytest.raises(StepFailed, match="segfault"), disk.failing_when_full("convert", Path("/scratch")):
        raise StepFailed("convert", "segfault", "SIGSEGV")


def test_the_servers_are_not_started_on_a_disk_that_is_almost_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    almost = shutil.disk_usage(tmp_path)._replace(free=disk.NEEDED - 1)
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: almost)
    home = Home(tmp_path / "home")

    with pytest.raises(StackError, match=r"the disk of .*home is almost full: 1.00 GiB are left, less than 1 GiB"):
        start(home)

    assert not home.state.exists()
    write_private(home.state, "whoever is there may still write")
