"""A search that was killed goes on from what it has measured."""

from __future__ import annotations

import logging
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from litegate.execution.step_run import StepRun
from litegate.records import Recovery, Tuned
from litegate.recovery.kept import Kept
from litegate.settings import Settings
from litegate.steps import STEPS
from tests.single_steps import Steps

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
    assert said[0].startswith(f"recovered: goes on after what was measured before, {len(begun)} of its files")


@pytest.mark.e2e
def test_the_step_finds_what_a_try_before_it_has_left_on_the_worker(
    collapsing: Path, places: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    data = {name: {"uri": str(collapsing / f"{name}.npz"), "format": "npz"} for name in ("calibration", "test")}
    steps = Steps(
        collapsing,
        places,
        model={"name": "kept", "uri": str(collapsing / "collapsing.keras")},
        calibration=data["calibration"] | {"samples": 190},  # which no other test searches with
        evaluation=data["test"],
        recover={"equalize": False, "correct_bias": False},
    )
    steps.quantize("int8_float_fallback")
    run = StepRun(STEPS["quantize"], steps.request("quantize", "recovered"), places)
    folder = places.cache / "progress" / f"quantize-{run.key()}"
    folder.mkdir(parents=True)
    (folder / "measured.jsonl").write_text('\n{"file": "another", "tuned": null, "seconds": 7}')
    with caplog.at_level(logging.INFO, "litegate"):
        found = run.run()
    assert found.recovery.met
    assert "recovered: goes on after what was measured before, 1 of its files, in 7.0 seconds" in caplog.text
    assert not folder.exists()
