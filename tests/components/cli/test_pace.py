"""Who asks waits for as long as the server lets them."""

from __future__ import annotations

import pytest

from litegate.cli import pace
from litegate.cli.pace import Pace


@pytest.mark.parametrize(("took", "pause"), [(0.001, 0.5), (0.08, 2.0), (60.0, 5.0)])
def test_the_pause_follows_the_answer(monkeypatch: pytest.MonkeyPatch, took: float, pause: float) -> None:
    moments, slept = iter((100.0, 100.0 + took)), list[float]()
    monkeypatch.setattr(pace.time, "monotonic", lambda: next(moments))
    monkeypatch.setattr(pace.time, "sleep", slept.append)
    own = Pace(0.5)
    own.wait()
    with own.asking():
        pass
    own.wait()
    assert slept == [0.5, pytest.approx(pause)]


def test_what_stays_as_it_is_is_asked_for_less_and_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    slept = list[float]()
    monkeypatch.setattr(pace.time, "sleep", slept.append)
    own = Pace(0.5)
    for news in (True, False, False, True):
        own.wait(news)
    assert slept == [0.5, 0.625, 0.78125, 0.5]
    for _ in range(20):
        own.wait(news=False)
    assert slept[-1] == 2.0
