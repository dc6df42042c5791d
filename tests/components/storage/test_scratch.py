from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from litegate.storage.scratch import abandoned, held, is_held, temporary_folder

HOLDS = """
import sys, time
from pathlib import Path
from litegate.storage.scratch import held, temporary_folder
from litegate.storage.whole_files import write_whole
def blocks():
    yield b"half"
    print("ready", flush=True)
    time.sleep(60)
with held(Path(sys.argv[1])), temporary_folder(Path(sys.argv[1])):
    write_whole(Path(sys.argv[1]) / "whole", blocks())
"""


def old(path: Path) -> Path:
    os.utime(path, (0, 0))
    return path


def test_what_a_living_process_works_on_is_held_until_it_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDS, str(tmp_path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        halves = [old(half) for half in tmp_path.glob(".tmp-*")]
        assert {half.is_dir() for half in halves} == {True, False}
        assert list(abandoned([old(tmp_path), *halves])) == []
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        assert list(abandoned([tmp_path, *halves])) == [tmp_path, *halves]


def test_what_was_made_just_now_or_is_gone_is_not_abandoned(tmp_path: Path) -> None:
    assert list(abandoned([tmp_path, tmp_path / "gone"])) == []


def test_nobody_holds_a_folder_any_more_when_its_work_is_done(tmp_path: Path) -> None:
    with held(tmp_path):
        assert is_held(tmp_path)
    assert not is_held(tmp_path)
    assert not is_held(tmp_path / "gone")


def test_a_temporary_folder_is_gone_with_all_that_is_in_it(tmp_path: Path) -> None:
    with temporary_folder(tmp_path) as folder:
        (folder / "part").touch()
        assert is_held(folder)
    assert list(tmp_path.iterdir()) == []
