"""What is said below the table."""

from __future__ import annotations

import pytest

from litegate.cli.conclusion import not_counted, print_outcome, reasons
from litegate.cli.outcome import Outcome
from litegate.records import Champion, ClassLoss, RareClass
from litegate.stack import Home
from litegate.stack.state import Stack
from tests.components.cli.results import LONG, NOTHING, RESULT, row

UNSUPPORTED = row(
    "int16x8", verdict="failed", reasons=("quantize failed: GELU has no 16x8 kernel",), samples=0, **NOTHING
)
REJECTED = row("float16", verdict="failed", sentence="float16 may not ship: too large")
OPEN = row("uint8", verdict="inconclusive", sentence="uint8 is undecided: so")


def rows(*found):
    return RESULT.model_copy(update={"variants": found, "selected": None, "outcome": "rejected"})


@pytest.fixture
def lines(capsys, tmp_path):
    def printed(outcome: Outcome) -> list[str]:
        home = Home(tmp_path)
        stack = Stack.plan(home, {}).model_copy(update={"mlflow_url": "http://mlflow"})
        print_outcome(outcome, "registered", stack, home, "http://airflow/page")
        return capsys.readouterr().out.splitlines()

    return printed


def test_a_promotion_is_printed_with_its_champion_marked(lines):
    found = lines(Outcome("digits", "promoted", 0, RESULT, RESULT.selected))

    assert [line.split()[1] for line in found if line.startswith("* ")] == ["int8"]
    assert "promoted: registered version 3 (int8)" in found


def test_a_passed_variant_says_which_classes_were_too_rare_to_be_judged(lines):
    said = "int8 may ship: so; too rare to be judged by themselves: dog (2 samples, 1 predicted by float32)"
    rare = (RareClass(name="dog", samples=2, predicted=1),)
    result = rows(row("int8", sentence=said, rare=rare, rare_classes=1), RESULT.variants[2])
    assert said in lines(Outcome("digits", "promoted", 0, result, RESULT.selected))


def test_what_did_not_pass_says_why_in_full_on_one_line(lines):
    found = lines(Outcome("digits", "promoted", 0, RESULT, RESULT.selected))

    assert LONG in found
    assert not any("not shown" in line for line in found)
    assert "int16x8 inconclusive: quantize: segfault" in found
    assert not any(line.startswith("int8 ") for line in found)


def test_the_classes_that_a_failed_variant_is_proved_to_lose_are_named_the_worst_three_first():
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
    failed = row("uint8", verdict="failed", sentence="uint8 may not ship", classes=losses)
    found = reasons(rows(row("int8", classes=losses), failed))

    where = found.index("uint8 may not ship")
    expected = "  most lost classes: cat 0.9 -> 0.78 of 1,000, dog 0.9 -> 0.8 of 1,000, [b] 0.9 -> 0.85 of 1,000"
    assert found[where + 1] == expected
    assert sum("most lost" in line for line in found) == 1


def test_warnings_and_what_the_bounds_are_worth_follow_the_reasons():
    sharing = rows(row("int8", confidence=0.975), row("uint8", confidence=0.95))
    found = reasons(sharing.model_copy(update={"confidence": 0.95, "warnings": ("one sample is in both",)}))
    assert found == [
        "the 95 % confidence holds for all variants of the run together, so the bounds of each are stricter: "
        "95 % to 97.5 % (Holm)",
        "warning: one sample is in both",
        "",
    ]
    alone = rows(row("int8", confidence=0.95)).model_copy(update={"confidence": 0.95})
    assert reasons(alone) == []


def test_both_pages_and_the_way_to_log_in_are_printed(lines, tmp_path):
    found = "\n".join(lines(Outcome("digits", "promoted", 0, RESULT, RESULT.selected)))

    assert "http://airflow/page" in found
    assert f"log in as admin, the password is in {Home(tmp_path).password_file}" in found
    assert "http://mlflow/#/experiments/1/runs/abc?workflowType=machine_learning" in found


def test_a_version_that_is_held_is_named_with_the_champion_and_the_reason(lines):
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


def test_what_is_rejected_and_what_is_undecided_say_so_in_different_words(lines):
    found = lines(Outcome("digits", "rejected", 3, rows(REJECTED, UNSUPPORTED)))
    assert "rejected: nothing passed the gate" in found
    assert not any("* " in line for line in found)

    found = lines(Outcome("digits", "undecided", 5, rows(REJECTED, OPEN)))
    assert "undecided: nothing passed the gate, and uint8 is undecided" in found


def test_a_variant_that_failed_beside_one_that_passed_does_not_count_against_it():
    unmeasured = row("uint8", verdict="failed", reasons=("evaluate failed: timeout",), samples=0, **NOTHING)
    assert not_counted((row("int8"), UNSUPPORTED, unmeasured, REJECTED)) == [
        "int16x8 could not be built; that does not count against int8",
        "uint8 could not be measured; that does not count against int8",
    ]
    assert not_counted(
        (row("int8"), UNSUPPORTED, UNSUPPORTED.model_copy(update={"variant": "int16x8_float_fallback"}))
    ) == ["int16x8, int16x8_float_fallback could not be built; that does not count against int8"]
    assert not_counted((row("int8"), UNSUPPORTED), ["int16x8"]) == []
    assert not_counted((REJECTED, UNSUPPORTED)) == []


def test_a_required_variant_that_did_not_pass_says_why_the_exit_code_is_not_that_of_the_promotion(lines):
    result = RESULT.model_copy(update={"variants": (row("int8"), REJECTED, UNSUPPORTED)})
    promoted = Outcome("digits", "promoted", 0, result, RESULT.selected)

    found = lines(promoted.requiring(["float16"]))
    assert found.index("promoted: registered version 3 (int8)") < found.index(
        "rejected: float16 must pass and was rejected"
    )
    assert "failed: int16x8 must pass and could not be built or measured" in lines(promoted.requiring(["int16x8"]))
    assert not any("must pass" in line for line in lines(promoted.requiring(["int8"])))


def test_a_failure_prints_where_to_look_and_no_table(lines):
    found = lines(Outcome("digits", "failed", 1, error="why"))

    assert len(found) == 2
    assert found[0].endswith("http://airflow/page")
