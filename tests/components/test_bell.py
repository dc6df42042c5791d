"""A bell is heard by whoever listens, and by nobody else."""

from __future__ import annotations

import select
import subprocess
import sys
from pathlib import Path

from litegate.bell import Bell, hearing_the_end, ring, tell_the_end


def readable(bell: Bell) -> bool:
    return bool(select.select([bell], [], [], 0)[0])


def test_a_ring_is_heard_once(tmp_path: Path) -> None:
    bell = Bell(tmp_path / "bell")
    assert not readable(bell)
    ring(tmp_path / "bell")
    ring(tmp_path / "bell")
    assert readable(bell)
    assert bell.rang()
    assert not readable(bell)
    assert not bell.rang()
    bell.close()


def test_the_next_who_listens_hears_too(tmp_path: Path) -> None:
    Bell(tmp_path / "bell").close()
    bell = Bell(tmp_path / "bell")
    ring(tmp_path / "bell")
    assert bell.rang()
    bell.close()


def test_where_nobody_listens_nothing_happens(tmp_path: Path) -> None:
    ring(tmp_path / "bell")
    Bell(tmp_path / "bell").close()
    ring(tmp_path / "bell")


def test_who_follows_a_run_hears_its_end_and_no_others(tmp_path: Path) -> None:
    with hearing_the_end(tmp_path, "quantize__a", "r") as bell, hearing_the_end(tmp_path, "quantize__b", "r") as other:
        assert bell is not None
        assert other is not None
        tell_the_end(tmp_path, "quantize__a", "r")
        assert bell.rang()
        assert not other.rang()
    assert not list((tmp_path / "end-bells").iterdir())
    tell_the_end(tmp_path, "quantize__a", "r")


def test_who_was_killed_is_forgotten_when_the_run_has_ended(tmp_path: Path) -> None:
    follows = "import sys, pathlib, os\nfrom litegate.bell import hearing_the_end\n"
    follows += "with hearing_the_end(pathlib.Path(sys.argv[1]), 'd', 'r'): os._exit(0)"
    subprocess.run([sys.executable, "-c", follows, str(tmp_path)], check=True)
    assert len(list((tmp_path / "end-bells").iterdir())) == 1
    tell_the_end(tmp_path, "d", "r")
    assert not list((tmp_path / "end-bells").iterdir())


def test_where_no_bell_can_be_made_nobody_hears(tmp_path: Path) -> None:
    (tmp_path / "end-bells").write_bytes(b"")
    with hearing_the_end(tmp_path, "d", "r") as bell:
        assert bell is None
    tell_the_end(tmp_path, "d", "r")


def test_what_cannot_be_removed_stops_nobody_who_rings(tmp_path: Path) -> None:
    with hearing_the_end(tmp_path, "d", "r"):
        (path,) = (tmp_path / "end-bells").iterdir()
    path.mkdir()
    tell_the_end(tmp_path, "d", "r")
    assert path.is_dir()
