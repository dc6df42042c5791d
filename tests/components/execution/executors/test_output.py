"""What a child says: bounded, harmless, and without what nobody wants to know."""

from __future__ import annotations

import json
import logging

import pytest

from litegate.errors import StepFailed
from litegate.execution.executors import process
from litegate.execution.executors.output import StepOutput
from litegate.execution.sandbox import REPORT
from tests.components.execution.children import Make


def test_a_flood_of_output_fills_neither_log_nor_memory(
    step: Make, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_MAX_LINES", 1_000)  # in place of 10,000
    with caplog.at_level(logging.INFO, "litegate"), pytest.raises(StepFailed) as caught:
        step("floods").run()
    assert caught.value.kind == "abort"
    assert "last words" in caught.value.detail
    assert len(caught.value.detail) < 2500
    said = [record.getMessage() for record in caplog.records if record.name.startswith("litegate")]
    assert len(said) == 1_001, said[1_000:]
    assert said[-1] == "... more than 1,000 lines: the rest is left out"
    assert max(map(len, said)) <= 2000


def test_what_a_child_says_does_nothing_to_a_terminal(step: Make, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "litegate"), pytest.raises(StepFailed) as caught:
        step("dirty").run()
    assert "red  ]52;c;aGk=  tab\tbed" in caplog.messages
    assert caught.value.detail == "RuntimeError:  ]0;mine  said\nno"


def test_the_first_report_is_for_the_executor_and_a_later_one_is_what_the_step_says(
    caplog: pytest.LogCaptureFixture,
) -> None:
    output = StepOutput("sample")
    said = REPORT + json.dumps({"namespaces": ["pid:[1]"], "missing": ["no network of its own"]})
    assert not output.hears(said)
    assert output.hears(REPORT + json.dumps({"namespaces": ["pid:[2]"], "missing": []}))
    assert (output.namespaces, output.not_isolated) == (("pid:[1]",), ("no network of its own",))
    assert "sample: not isolated as it should be: no network of its own" in caplog.messages


def test_what_tensorflow_says_at_every_start_is_left_out() -> None:
    output = StepOutput("convert")
    assert not output.hears("I0000 00:00:1 cpu_feature_guard.cc:227] This TensorFlow binary is optimized")
    assert output.hears("W0000 00:00:1 something is odd")
