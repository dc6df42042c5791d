"""Who asks waits for as long as the server lets them."""

from __future__ import annotations

import pytest

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
    monkeypatch.setattr(pace.time, "sleep", slept.append)
    own = Pace(0.5)
    for _ in took:
        with own.asking():
            pass
        own.wait()
    assert slept == pytest.approx(list(pauses))


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
