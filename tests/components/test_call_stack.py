"""Room for calls: deep ones need no memory of their own."""

from __future__ import annotations

import inspect
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from litegate.call_stack import with_room

DEEP = """
import sys
from litegate.call_stack import with_room

def nothing():
    pass

def down(depth):
    for _ in range(200):
        nothing()
    if depth:
        down(depth - 1)

(with_room(down) if sys.argv[1] == "room" else down)(300)
"""
CHUNK = re.compile(r"mmap\(NULL, 16384, PROT_READ\|PROT_WRITE, MAP_PRIVATE\|MAP_ANONYMOUS")


def test_it_is_the_same_function() -> None:
    def named(one: int, two: int = 2, *rest: int, three: int = 3) -> tuple[int, ...]:
        """Said."""
        return one, two, *rest, three, outer

    outer = 5
    roomy = with_room(named)
    assert roomy(1) == (1, 2, 3, 5)
    assert roomy(1, 4, 6, three=7) == (1, 4, 6, 7, 5)
    assert (roomy.__name__, roomy.__doc__) == ("named", "Said.")
    assert inspect.signature(roomy) == inspect.signature(named)


@pytest.mark.skipif(shutil.which("strace") is None, reason="no strace here, which counts what the kernel is asked for")
def test_calls_where_a_chunk_would_end_ask_the_kernel_for_nothing(tmp_path: Path) -> None:
    def chunks(how: str) -> int:
        said = tmp_path / how
        command = ["strace", "-f", "-e", "trace=mmap", "-o", str(said), sys.executable, "-c", DEEP, how]
        subprocess.run(command, check=True)
        return len(CHUNK.findall(said.read_text()))

    assert chunks("room") < 10 < chunks("none")
