"""Charts from a process beside this one: they are those that this one would draw, and it never outlives its use."""

from __future__ import annotations

import multiprocessing
import os
import signal
from typing import Any

import pytest

from litegate.report import drawing as module
from litegate.report import render
from litegate.report.drawing import drawing
from tests.components.report.runs import MadeRun, Variant

RUN = MadeRun(variants=[Variant(name="int8"), Variant(name="float16", drop=0.0)], selected="int8")


def test_the_charts_are_those_that_are_drawn_here():
    request, result = RUN.request, RUN.result
    with drawing(request, result, {}) as pictures:
        assert render(request, result, pictures()) == RUN.html({})
    assert not multiprocessing.active_children()


def replace_drawn(monkeypatch: pytest.MonkeyPatch, draw: Any) -> None:
    monkeypatch.setattr(module, "drawn", draw)


def test_what_goes_wrong_there_is_raised_here(monkeypatch):
    def fails(*_: object) -> None:
        raise ValueError("no such chart")

    replace_drawn(monkeypatch, fails)
    with drawing(RUN.request, RUN.result, {}) as pictures, pytest.raises(ValueError, match="no such chart"):
        pictures()


def test_a_process_that_is_killed_leaves_no_report(monkeypatch):
    replace_drawn(monkeypatch, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    with drawing(RUN.request, RUN.result, {}) as pictures, pytest.raises(RuntimeError, match="ended with -9"):
        pictures()


def test_it_ends_with_whoever_does_not_wait_for_it(monkeypatch):
    replace_drawn(monkeypatch, lambda *_: signal.pause())
    with pytest.raises(KeyError), drawing(RUN.request, RUN.result, {}):
        raise KeyError("MLflow is gone")
    assert not multiprocessing.active_children()
