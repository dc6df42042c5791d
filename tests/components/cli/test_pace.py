"""Who asks waits for as long as the server lets them."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from litegate.bell import Bell, ring
from litegate.cli import pace
from litegate.cli.pace import Pace


@pytest.mark.parametrize(
    ("took", "pauses"),
    [
        ((0.001, 0.001), (0.5, 0.5)),
        ((60.0, 0.08, 0.001), (0.5, 2.0, 0.5)),
        ((0.001, 60.0), (0.5, 10.0)),
    ],
)
def test_the_pause_follows_the_answers(
    monkeypatch: pytest.MonkeyPatch, took: tuple[float, ...], pauses: tuple[float, ...]
) -> None:
    moments, slept = iter([moment for seconds in took for moment in (100.0, 100.0 + seconds)]), list[float]()
    monkeypatch.setattr(pace.time, "monotonic", lambda: next(moments))
    monkeypatch.setattr(pace.select, "select", lambda *asked: slept.append(asked[-1]))
    own = Pace(0.5)
    for _ in took:
        with own.asking():
            pass
        own.wait()
    assert slept == pytest.approx(list(pauses))


def test_what_stays_as_it_is_is_asked_for_less_and_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    slept = list[float]()
    monkeypatch.setattr(pace.select, "select", lambda *asked: slept.append(asked[-1]))
    own = Pace(0.5)
    for news in (True, False, False, True):
        own.wait(news)
    assert slept == [0.5, 0.625, 0.78125, 0.5]
    for _ in range(20):
        own.wait(news=False)
    assert slept[-1] == 2.0


def test_who_rings_ends_the_wait(tmp_path: Path) -> None:
    bell = Bell(tmp_path / "bell")
    own = Pace(600.0, most=600.0, bell=bell)
    rings = threading.Timer(0.05, ring, [tmp_path / "bell"])
    rings.start()
    assert own.wait()
    rings.join()
    assert not Pace(0.001, bell=bell).wait()
    bell.close()
