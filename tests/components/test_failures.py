"""The kinds of failure: each says for itself whether trying again can help."""

from __future__ import annotations

import json
import signal
from typing import Any

import pytest

from litegate.failures import CRASHES, FailureKind, Retry, named_signal


def test_only_what_ended_from_outside_or_got_no_answer_is_tried_again() -> None:
    again = {kind.value: kind.retry for kind in FailureKind if kind.retry is not Retry.NEVER}
    assert again == {
        "oom_killed": Retry.AT_ONCE,
        "killed": Retry.AT_ONCE,
        "signal": Retry.AT_ONCE,
        "interrupted": Retry.LATER,
        "infrastructure": Retry.LATER,
    }


@pytest.mark.parametrize("kind", FailureKind)
def test_a_kind_says_what_happened_and_is_stored_as_its_name(kind: FailureKind) -> None:
    assert kind.__doc__
    assert kind.__doc__ != FailureKind.__doc__
    assert (f"{kind}", json.dumps(kind), kind.name) == (kind.value, f'"{kind.value}"', kind.value.upper())
    assert FailureKind(kind.value) is kind is FailureKind.of(kind.value)


@pytest.mark.parametrize("value", ["unheard_of", "KILLED", "killed ", "", None, 9, ["killed"], {"killed": 1}])
def test_a_kind_that_nobody_knows_is_not_tried_again(value: Any) -> None:
    assert FailureKind.of(value) is FailureKind.PYTHON_ERROR
    assert FailureKind.of(value).retry is Retry.NEVER


def test_a_signal_has_a_kind_and_a_name() -> None:
    assert named_signal(signal.SIGSEGV) == (FailureKind.SEGFAULT, "SIGSEGV")
    assert named_signal(signal.SIGKILL) == (FailureKind.KILLED, "SIGKILL")
    assert named_signal(signal.SIGTRAP) == (FailureKind.CRASH, "SIGTRAP")
    assert named_signal(99) == (FailureKind.CRASH, "signal 99")
    assert {named_signal(each)[0] for each in signal.Signals} <= CRASHES
