"""A bell is heard by whoever listens, and by nobody else."""

from __future__ import annotations

import select
from pathlib import Path

from litegate.bell import Bell, ring


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
