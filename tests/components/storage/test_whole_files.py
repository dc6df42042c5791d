"""Local files that are there whole or not at all."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from litegate.storage.whole_files import write_first, write_whole


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def blocks():
        yield b"half"
        raise OSError("connection lost")

    with pytest.raises(OSError, match="connection lost"):
        write_whole(tmp_path / "target", blocks())
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_replaced_whole_and_nothing_else_is_left(tmp_path: Path) -> None:
    for text in ("before", "after it"):
        write_whole(tmp_path / "folder" / "target", [text[:3].encode(), text[3:].encode()])
        assert [path.read_text() for path in (tmp_path / "folder").iterdir()] == [text]
    assert (tmp_path / "folder" / "target").stat().st_nlink == 1


def test_a_file_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    assert write_first(tmp_path / "target", [b"first"])
    assert not write_first(tmp_path / "target", [b"second"])
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"first"]
    assert (tmp_path / "target").stat().st_nlink == 1


def test_one_who_comes_while_another_writes_is_not_the_first(tmp_path: Path) -> None:
    def blocks():
        yield b"second"
        assert write_first(tmp_path / "target", [b"first"])

    assert not write_first(tmp_path / "target", blocks())
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"first"]


@pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP])
def test_a_file_system_without_links_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise OSError(number, "no links here")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    assert write_first(tmp_path / "target", [b"first"])
    assert not write_first(tmp_path / "target", [b"second"])
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"first"]
