"""A search that was killed goes on from what it has measured."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from litegate.records import Recovery, Tuned
from litegate.recovery.kept import Kept

TUNED = Tuned(disagreement=0.25, error=0.1, bytes=1000, milliseconds=0.5)
KEY = ((1, "float32"), (3, "int16x8"))


def test_the_next_try_finds_it_and_the_time_that_it_took(tmp_path: Path) -> None:
    clock = count(0, 10)
    first = Kept(tmp_path, lambda: next(clock))
    first.of(b"model").add(KEY, TUNED)
    first.of(b"model").add((), None)
    second = Kept(tmp_path)
    assert (second.earlier, second.seconds) == (2, 20.0)
    assert second.of(b"model").get(KEY) == (True, TUNED)
    assert second.of(b"model").get(()) == (True, None), "it could not be made, and still cannot"
    assert second.of(b"another").get(KEY) == (False, None)


def test_a_line_that_is_torn_counts_as_none(tmp_path: Path) -> None:
    Kept(tmp_path).of(b"model").add(KEY, TUNED)
    (path,) = tmp_path.iterdir()
    path.write_text(path.read_text() + '\n{"file": "torn", "tun')
    found = Kept(tmp_path)
    assert found.earlier == 1
    found.of(b"model").add((), TUNED)
    assert Kept(tmp_path).of(b"model").get(()) == (True, TUNED)


def test_without_a_folder_nothing_is_kept() -> None:
    kept = Kept(None)
    kept.of(b"model").add(KEY, TUNED)
    assert kept.of(b"model").get(KEY) == (True, TUNED)
    assert Kept(None).earlier == 0


def lines(folder: Path) -> list[str]:
    return (folder / "measured.jsonl").read_text().split("\n")[1:]


Search = Callable[..., tuple[bytes, Recovery]]


@pytest.mark.e2e
def test_a_search_that_is_interrupted_comes_to_the_same_file_without_measuring_twice(
    search: Search, tmp_path: Path
) -> None:
    whole, interrupted = tmp_path / "whole", tmp_path / "interrupted"
    for folder in (whole, interrupted):
        folder.mkdir()
    expected, _ = search(progress=whole)
    everything = lines(whole)

    class Killed(Exception):
        pass

    def killed(message: str, *_: object) -> None:
        if "step 1" in message % _:
            raise Killed

    with pytest.raises(Killed):
        search(progress=interrupted, say=killed)
    begun = lines(interrupted)
    assert 1 < len(begun) < len(everything)
    said: list[str] = []
    content, _ = search(progress=interrupted, say=lambda message, *values: said.append(message % values))
    assert content == expected
    assert len(lines(interrupted)) == len(everything)
    assert said[0].startswith(f"recovered: goes on after {len(begun)} files")
