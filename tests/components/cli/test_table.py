from __future__ import annotations

import pytest

from litegate.cli.outcome import Outcome
from litegate.cli.table import print_outcome
from litegate.records import BaselineSummary, Champion, RunResult, VariantRow
from litegate.stack import Home
from litegate.stack.state import Stack

LONG = (
    "the drop is at least 2.00 points [bold]with 95% confidence[/bold], but at most 1.00 points are allowed by the gate"
)


def row(variant: str, **values: object) -> VariantRow:
    measured = {"bytes": 1024, "value": 0.95, "drop": 0.01, "drop_low": -0.001, "drop_high": 0.0155, "samples": 697}
    other = {"verdict": "passed", "reasons": (), "latency_ms": 0.0512, "digest": "d", "uri": None, "mlflow_run_id": "r"}
    return VariantRow.model_validate({"variant": variant} | measured | other | values)


NOTHING = dict.fromkeys(("bytes", "value", "drop", "drop_low", "drop_high", "latency_ms", "digest"))
RESULT = RunResult(
    model="digits",
    outcome="promoted",
    selected=Champion(variant="int8", version=3, digest="d"),
    baseline=BaselineSummary(bytes=4096, metric="top1", value=0.96, samples=697),
    variants=(
        row("int8"),
        row("float16", verdict="failed", reasons=(LONG,)),
        row("int16x8", verdict="inconclusive", reasons=("quantize: segfault",), samples=0, **NOTHING),
    ),
    experiment_id="1",
    mlflow_run_id="abc",
)


@pytest.fixture
def lines(capsys, tmp_path):
    def printed(outcome: Outcome) -> list[str]:
        home = Home(tmp_path)
        stack = Stack.plan(home, {}).model_copy(update={"mlflow_url": "http://mlflow"})
        print_outcome(outcome, "registered", stack, home, "http://airflow/page")
        return capsys.readouterr().out.splitlines()

    return printed


def line_of(lines: list[str], variant: str) -> str:
    return " ".join(next(line for line in lines if variant in line.split()).split())


def test_a_promotion_is_printed_with_its_champion_marked(lines):
    found = lines(Outcome("digits", "promoted", 0, RESULT, RESULT.selected))

    assert line_of(found, "int8") == "* int8 1,024 25% 95.00% +1.00 (-0.10, +1.55) 697 0.051 passed"
    assert line_of(found, "float32") == "float32 4,096 100% 96.00% - 697 - baseline"
    assert line_of(found, "int16x8") == "int16x8 - - - - 0 - inconclusive"
    assert "promoted: registered version 3 (int8)" in found


def test_what_did_not_pass_says_why_in_full_on_one_line(lines):
    found = lines(Outcome("digits", "promoted", 0, RESULT, RESULT.selected))

    assert f"float16 failed: {LONG}" in found
    assert "int16x8 inconclusive: quantize: segfault" in found
    assert not any(line.startswith("int8 ") for line in found)


def test_both_pages_and_the_way_to_log_in_are_printed(lines, tmp_path):
    found = "\n".join(lines(Outcome("digits", "promoted", 0, RESULT, RESULT.selected)))

    assert "http://airflow/page" in found
    assert f"log in as admin, the password is in {Home(tmp_path).password_file}" in found
    assert "http://mlflow/#/experiments/1/runs/abc?workflowType=machine_learning" in found


def test_a_rejection_marks_no_champion(lines):
    found = lines(Outcome("digits", "rejected", 3, RESULT))

    assert "rejected: nothing passed the gate" in found
    assert not any("* " in line for line in found)


def test_a_failure_prints_where_to_look_and_no_table(lines):
    found = lines(Outcome("digits", "failed", 1, error="why"))

    assert len(found) == 2
    assert found[0].endswith("http://airflow/page")
