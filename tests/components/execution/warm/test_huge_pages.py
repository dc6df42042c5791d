"""What a process has in memory is the same in huge pages, and a warm parent uses them while nobody asks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from litegate.execution.warm.huge_pages import use_huge_pages

HOLDS = """
import hashlib, os
from litegate.execution.warm.huge_pages import use_huge_pages
held = bytearray(os.urandom(1 << 20) * 64)
before = hashlib.sha256(held).hexdigest()
steps = sum(1 for _ in use_huge_pages())
print(steps, before == hashlib.sha256(held).hexdigest())
print(next(line.split()[1] for line in open("/proc/self/smaps_rollup") if line.startswith("AnonHugePages")))
"""


def test_memory_lies_in_huge_pages_and_holds_what_it_held() -> None:
    done = subprocess.run([sys.executable, "-c", HOLDS], capture_output=True, text=True, check=True)
    steps, same, kilobytes = done.stdout.split()
    assert same == "True"
    if steps == "0":
        pytest.skip("this kernel has no huge pages to give: before Linux 6.1, or all memory is in pieces")
    assert int(kilobytes) >= 1024


def test_a_kernel_without_them_changes_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("litegate.execution.warm.huge_pages._SIZE", tmp_path / "no such file")
    assert list(use_huge_pages()) == []


RESTS = """
import os, sys
from pathlib import Path
from litegate.execution.warm.door import Door
from litegate.execution.warm.inherited import inherited
from litegate.execution.warm.loaded import Loaded
from litegate.execution.warm.parent import WarmParent
python = Path(sys.executable)
def meanwhile():
    yield
    yield
    sys.exit(7)
WarmParent(Door(Path(sys.argv[1]), python), Loaded(python), inherited(os.environ, python), {}, meanwhile()).run()
"""


def test_a_parent_that_nobody_asks_has_time_for_it(tmp_path: Path) -> None:
    assert subprocess.run([sys.executable, "-c", RESTS, tmp_path], check=False, timeout=60).returncode == 7
