"""What verdicts come to: rejected, undecided and failed are three different things."""

from __future__ import annotations

import inspect
import re

import pytest

from litegate.exit_codes import ExitCode
from litegate.gate import device_facts, file_facts
from litegate.gate.outcome import EXIT_CODES, run_outcome, variant_outcome
from litegate.records import Clause, Reason, Verdict

DIGEST = "d" * 64


def verdict(state: str, *codes: str, clauses: tuple[str, ...] = ()) -> Verdict:
    tested = tuple(
        Clause(name="max_drop", state=each, estimate=0.0, low=0.0, high=0.0, limit=0.01, p_value=0.5, samples=9)
        for each in clauses
    )
    reasons = tuple(Reason(code=code, message=code) for code in codes)
    return Verdict(variant="int8", state=state, reasons=reasons, clauses=tested, digest=DIGEST)


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        (verdict("baseline"), "baseline"),
        (verdict("passed", "within_max_drop", clauses=("passed",)), "passed"),
        (verdict("inconclusive", "undecided_max_drop", clauses=("inconclusive",)), "undecided"),
        (verdict("failed", "above_max_drop", clauses=("failed",)), "rejected"),
        (verdict("failed", "too_large", "within_max_drop", clauses=("passed",)), "rejected"),
        (verdict("failed", "too_slow", "undecided_max_drop", clauses=("inconclusive",)), "rejected"),
        (verdict("failed", "lost_class", clauses=("passed",)), "rejected"),
        (verdict("failed", "dead_output"), "rejected"),
        (verdict("failed", "not_integer_only"), "rejected"),
        (verdict("failed", "arena_too_large", "within_max_drop", clauses=("passed",)), "rejected"),
        (verdict("failed", "arena_unknown", "within_max_drop", clauses=("passed",)), "failed"),
        (verdict("failed", "too_many_cpu_operators", "within_max_drop", clauses=("passed",)), "rejected"),
        (verdict("failed", "estimate_incomplete", "within_max_drop", clauses=("passed",)), "rejected"),
        (verdict("failed", "latency_undecided", "within_max_drop", clauses=("passed",)), "undecided"),
        (verdict("failed", "latency_undecided", "too_large"), "rejected"),
        (verdict("failed", "quantize_unsupported"), "failed"),
        (verdict("failed", "smoke_constant"), "failed"),
        (verdict("failed", "benchmark_timeout", "within_max_drop", clauses=("passed",)), "failed"),
        (verdict("failed", "benchmark_timeout", "above_max_drop", clauses=("failed",)), "rejected"),
        (verdict("failed", "latency_unknown", "too_large"), "failed"),
        (verdict("failed", "evaluation_chance", "within_max_drop", clauses=("passed",)), "failed"),
        (verdict("failed", "not_measured"), "failed"),
        (verdict("failed"), "failed"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(reason.code for reason in value.reasons),
)
def test_a_variant_is_rejected_for_what_its_file_is_and_failed_where_it_could_not_be_measured(
    found: Verdict, outcome: str
) -> None:
    assert variant_outcome(found) == outcome


def test_every_reason_of_a_file_says_whether_it_breaks_the_policy() -> None:
    codes = set(re.findall(r'code="(\w+)"', inspect.getsource(file_facts) + inspect.getsource(device_facts)))
    codes |= {"too_slow", "latency_undecided"}  # one of the two, by what is proved
    codes |= {"sram_too_large", "too_many_cycles"}  # by what is estimated
    unmeasured = {"digest_mismatch", "metric_mismatch", "arena_unknown", "latency_unknown", "other_host"}
    unmeasured |= {"flash_unknown", "placement_unknown"}
    assert codes == file_facts.LIMITS | unmeasured | {"latency_undecided", "inspect_specification"}


def test_a_file_that_breaks_the_policy_under_another_name_is_rejected() -> None:
    assert variant_outcome(verdict("passed"), {DIGEST}) == "rejected"


@pytest.mark.parametrize(
    ("variants", "outcome"),
    [
        (("passed", "rejected", "undecided", "failed"), "passed"),
        (("rejected", "undecided", "failed"), "undecided"),
        (("rejected", "failed"), "rejected"),
        (("rejected",), "rejected"),
        (("failed", "failed"), "failed"),
        ((), "failed"),
    ],
    ids=str,
)
def test_any_variant_that_passes_will_do_and_missing_samples_come_before_what_is_proved(
    variants: tuple[str, ...], outcome: str
) -> None:
    named = {"float32": "baseline"} | {f"v{number}": found for number, found in enumerate(variants)}
    assert run_outcome(named) == outcome


@pytest.mark.parametrize(
    ("required", "outcome"),
    [
        (("passed",), "passed"),
        (("rejected",), "rejected"),
        (("undecided",), "undecided"),
        (("failed",), "failed"),
        (("passed", "undecided"), "undecided"),
        (("failed", "undecided"), "failed"),
        (("failed", "undecided", "rejected"), "rejected"),
    ],
    ids=str,
)
def test_required_variants_alone_decide_and_samples_help_only_where_nothing_else_is_in_the_way(
    required: tuple[str, ...], outcome: str
) -> None:
    named = {name: name for name in ("passed", "rejected", "undecided", "failed")}
    assert run_outcome(named, required) == outcome


def test_each_outcome_has_an_exit_code_of_its_own() -> None:
    assert EXIT_CODES == {"passed": 0, "rejected": 3, "undecided": 5, "failed": 6}
    assert len({int(code) for code in ExitCode}) == len(ExitCode)
