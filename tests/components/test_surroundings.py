"""Variables in the place of the process's own: for those who are given the context, and only while it lasts."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pytest

from litegate.surroundings import carried, replacing, variables


def test_what_is_replaced_is_seen_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OWN", "own")
    with replacing({"OWN": None, "THEIRS": "theirs"}):
        with replacing({"THEIRS": "others"}):
            assert variables()["THEIRS"] == "others"
        assert (variables()["THEIRS"], "OWN" in variables()) == ("theirs", False)
        assert "THEIRS" not in os.environ
    assert (variables()["OWN"], "THEIRS" in variables()) == ("own", False)


def test_another_thread_sees_it_only_with_the_context() -> None:
    seen: list[str | None] = []

    def look() -> None:
        seen.append(variables().get("THEIRS"))

    with replacing({"THEIRS": "theirs"}):
        context = copy_context()
        for target in (look, lambda: context.run(look)):
            thread = threading.Thread(target=target)
            thread.start()
            thread.join()
    assert seen == [None, "theirs"]


def test_a_call_carries_it_to_many_threads_at_once() -> None:
    with replacing({"THEIRS": "theirs"}):
        seen = carried(lambda number: (number, variables().get("THEIRS")))
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(seen, range(8))) == [(number, "theirs") for number in range(8)]
