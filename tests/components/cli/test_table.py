from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from litegate.cli.outcome import Outcome
from litegate.cli.table import print_outcome, print_table
from litegate.records import BaselineSummary, Champion, ClassLoss, RareClass, RunResult, VariantRow
from litegate.stack import Home
from litegate.stack.state import Stack

LONG = (
    "float16 may not ship: it loses at least 2.00 points of top1 [bold](1.00 allowed)[/bold], "
    "most of all on cat (12.00 points), with 95 % confidence"
)


def row(variant: str, **values: object) -> VariantRow:
    measured = {"bytes": 1024, "value": 0.95, "drop": 0.01, "drop_low": -0.001, "drop_high": 0.0155, "samples": 697}
    other = {
        "verdict": "passed",
        "reasons": (),
        "latency_ms": 0.0512,
        "digest": "d" * 64,
        "uri": None,
        "mlflow_run_id": "r",
    }
    return VariantRow.model_validate({"variant": variant} | measured | other | values)


NOTHING = dict.fromkeys(("bytes", "value", "drop", "drop_low", "drop_high", "latency_ms", "digest"))
RESULT = RunResult(
    model="digits",
    outcome="selected",
    selected=Champion(variant="int8", version=3, digest="d" * 64),
    baseline=BaselineSummary(bytes=4096, metric="top1", value=0.96, samples=697),
    variants=(
        row("int8"),
        row("float16", verdict="failed", sentence=LONG, reasons=("not shown",)),
        row("int16x8", verdict="inconclusive", reasons=("quantize: segfault",), samples=0, **NOTHING),
    ),
    experiment_id="1",
    mlflow_run_id="abc",
    report="http://mlflow/#/report.html",
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

    assert line_of(found, "int8") == "* int8 1,024 25% 95.00% +1.00 (-0.10, +1.55) 697 0.0512 passed"
    assert line_of(found, "float32") == "float32 4,096 100% 96.00% - 697 - baseline"
    assert line_of(found, "int16x8") == "int16x8 - - - - 0 - inconclusive"
    assert "promoted: registered version 3 (int8)" in found


def test_clusters_have_a_column_where_there_are_any(lines):
    clustered = RESULT.model_copy(update={"variants": (row("int8", clusters=41), RESULT.variants[2])})
    found = lines(Outcome("digits", "promoted", 0, clustered, RESULT.selected))
    assert "samples clusters latency ms" in " ".join(found[2].split())
    assert line_of(found, "int8") == "* int8 1,024 25% 95.00% +1.00 (-0.10, +1.55) 697 41 0.0512 passed"
    assert line_of(found, "float32") == "float32 4,096 100% 96.00% - 697 - - baseline"


def test_a_passed_variant_says_which_classes_were_too_rare_to_be_judged(lines):
    said = "int8 may ship: so; too rare to be judged by themselves: dog (2 samples, 1 predicted by float32)"
    rare = (RareClass(name="dog", samples=2, predicted=1),)
    rows = (row("int8", sentence=said, rare=rare, rare_classes=1), RESULT.variants[2])
    found = lines(Outcome("digits", "promoted", 0, RESULT.model_copy(update={"variants": rows}), RESULT.selected))
    assert said in found


def test_what_did_not_pass_says_why_in_full_on_one_line(lines):
    found = lines(Outcome("digits", "promoted", 0, RESULT, RESULT.selected))

    assert LONG in found
    assert not any("not shown" in line for line in found)
    assert "int16x8 inconclusive: quantize: segfault" in found
    assert not any(line.startswith("int8 ") for line in found)


def test_the_classes_that_a_failed_variant_is_proved_to_lose_are_named_the_worst_three_first(lines):
    losses = tuple(
        ClassLoss(
            label=label,
            name=name,
            samples=1000,
            baseline=0.9,
            value=value,
            drop=0.9 - value,
            low=0,
            high=1,
            proved=proved,
        )
        for label, (name, value, proved) in enumerate(
            [("cat", 0.78, True), ("rare", 0.79, False), ("dog", 0.8, True), ("[b]", 0.85, True), ("car", 0.86, True)]
        )
    )
    rows = (row("int8", classes=losses), row("uint8", verdict="failed", sentence="uint8 may not ship", classes=losses))
    found = lines(Outcome("digits", "rejected", 3, RESULT.model_copy(update={"variants": rows})))

    where = found.index("uint8 may not ship")
    expected = "  most lost classes: cat 0.9 -> 0.78 of 1,000, dog 0.9 -> 0.8 of 1,000, [b] 0.9 -> 0.85 of 1,000"
    assert found[where + 1] == expected
    assert sum("most lost" in line for line in found) == 1


def test_a_metric_that_is_no_share_is_printed_as_it_is_and_a_lower_one_is_better(lines):
    baseline = BaselineSummary(
        bytes=4096, metric="my.metrics:Blur", higher_is_better=False, percent=False, value=123.456, samples=12000
    )
    wide = row(
        "int16x8_float_fallback",
        value=123.5,
        drop=0.04412,
        drop_low=-1.2345678,
        drop_high=1.23e-6,
        samples=12000,
        verdict="inconclusive",
    )
    open_ = row("int8", value=None, drop=0.1, drop_low=None, drop_high=None)
    half = row("int16x8", drop_low=None)
    result = RESULT.model_copy(update={"baseline": baseline, "variants": (wide, open_, half)})
    found = lines(Outcome("digits", "promoted", 0, result, RESULT.selected))

    assert any("Blur loss (bounds) samples" in " ".join(line.split()) for line in found)
    assert line_of(found, "float32") == "float32 4,096 100% 123.5 - 12,000 - baseline"
    assert "25% 123.5 +0.04412 (-1.235, +1.23e-06) 12,000 0.0512 inconclusive" in line_of(found, wide.variant)
    assert "25% - +0.1 697" in line_of(found, "int8")
    assert "+0.01 (-, +0.0155)" in line_of(found, "int16x8")
    assert not any("…" in line for line in found)


@pytest.mark.parametrize(
    ("width", "left_out"), [(120, []), (100, ["samples", "size"]), (80, ["samples", "size", "latency ms", "bytes"])]
)
def test_a_narrow_terminal_shows_fewer_columns_and_each_of_them_whole(width, left_out):
    wide = row("int16x8_float_fallback", verdict="inconclusive", samples=12000)
    result = RESULT.model_copy(update={"variants": (*RESULT.variants, wide)})
    console = Console(width=width, file=StringIO())
    print_table(console, result, None)
    found = console.file.getvalue().splitlines()

    head = next(line for line in found if "variant" in line.split())
    assert [name for name in ("samples", "size", "latency ms", "bytes") if name not in head] == left_out
    assert "…" not in "".join(found)
    assert line_of(found, wide.variant).endswith("inconclusive")
    assert found[-1].strip() == (f"a wider terminal shows {', '.join(left_out)} as well" if left_out else "")


def test_a_baseline_without_a_value_still_has_its_row(lines):
    result = RESULT.model_copy(update={"baseline": RESULT.baseline.model_copy(update={"value": None})})
    assert (
        line_of(lines(Outcome("digits", "rejected", 3, result)), "float32") == "float32 4,096 100% - - 697 - baseline"
    )


def test_both_pages_and_the_way_to_log_in_are_printed(lines, tmp_path):
    found = "\n".join(lines(Outcome("digits", "promoted", 0, RESULT, RESULT.selected)))

    assert "http://airflow/page" in found
    assert f"log in as admin, the password is in {Home(tmp_path).password_file}" in found
    assert "http://mlflow/#/experiments/1/runs/abc?workflowType=machine_learning" in found


def test_a_version_that_is_held_is_named_with_the_champion_and_the_reason_in_the_last_line(lines):
    older = Champion(variant="int16x8", version=2, digest="e" * 64)
    found = lines(Outcome("digits", "blocked", 4, RESULT, older, "version 2 is frozen"))

    expected = "blocked: registered version 3 (int8) passed the gate, but version 2 (int16x8) is champion: "
    assert expected + "version 2 is frozen" in found
    assert not any("* " in line for line in found), "the champion is none of the files of this run"


def test_a_version_that_waits_where_there_is_no_champion_says_so(lines):
    found = lines(Outcome("digits", "pending_approval", 4, RESULT, None, "a person must accept it"))

    said = "pending approval: registered version 3 (int8) passed the gate, but there is no champion: "
    assert f"{said}a person must accept it" in found


def test_an_override_run_says_what_passed_and_that_nothing_is_promoted(lines):
    found = lines(Outcome("digits", "override_run", 0, RESULT.model_copy(update={"selected": None})))

    assert "override run: int8 passed the gate, and nothing is promoted" in found


def test_a_rejection_marks_no_champion(lines):
    found = lines(Outcome("digits", "rejected", 3, RESULT))

    assert "rejected: nothing passed the gate" in found
    assert not any("* " in line for line in found)


def test_a_failure_prints_where_to_look_and_no_table(lines):
    found = lines(Outcome("digits", "failed", 1, error="why"))

    assert len(found) == 2
    assert found[0].endswith("http://airflow/page")
