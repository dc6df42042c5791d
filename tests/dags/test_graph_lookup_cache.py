"""What the flow finds of earlier runs, what it computes again, and what both are judged by."""

from __future__ import annotations

from typing import Any

from litegate.errors import BadInput, StepFailed
from tests.dags.pretended import EVERYTHING, Run, Steps

FLOW = ("convert", "sample", "check", "calibrate", "evaluate_baseline", "quantize", "evaluate", "benchmark")
COMPUTED = {"convert", "sample", "lint", "conversion_check", "calibrate"}
COMPUTED |= {"quantize", "inspect", "smoke", "evaluate", "benchmark"}


def test_a_run_whose_results_are_all_there_skips_to_the_gate(run_flow: Run) -> None:
    computed, cached = run_flow(Steps()), run_flow(Steps(known={EVERYTHING}))
    assert not COMPUTED & {step for step, _ in cached.steps.requests}
    assert {cached.state(task) for task in FLOW} == {"skipped"}
    assert {cached.state(task) for task in ("lookup_cache", "gate", "register", "promote")} == {"success"}
    assert cached.pull("lookup_cache") == []
    for step in ("gate", "register"):
        before, after = (each.steps.requests[step, ""] for each in (computed, cached))
        assert after.model_copy(update=_of_this_run(before)) == before


def _of_this_run(request: Any) -> dict[str, Any]:
    return {name: getattr(request, name) for name in ("run_key", "links") if hasattr(request, name)}


def test_only_the_variants_that_something_is_missing_of_are_computed(run_flow: Run) -> None:
    shared = {("convert", ""), ("sample", ""), ("lint", "float32"), ("conversion_check", "float32")}
    shared.add(("calibrate", ""))
    steps = {"quantize", "inspect", "smoke", "evaluate"}
    known = shared | {(step, name) for step in steps for name in ("float32", "dynamic_range")}
    outcome = run_flow(Steps(known=known | {(step, "int8") for step in steps - {"evaluate"}}))
    assert outcome.pull("lookup_cache") == ["int8"]
    assert {name for name in outcome.tasks if "dynamic_range" in name} == set()
    assert outcome.state("evaluate/int8") == outcome.state("benchmark") == "success"
    judged = outcome.steps.requests["gate", ""]
    assert {item.artifact.variant for item in judged.candidates} == {"dynamic_range", "int8"}
    assert all(item.benchmark and item.smoke for item in judged.candidates)


def test_a_variant_that_failed_before_is_tried_again_and_judged_beside_the_recalled(run_flow: Run) -> None:
    refused = StepFailed("quantize", "unsupported", "the converter refused int8")
    known = {(step, name) for step in COMPUTED for name in ("", "float32", "dynamic_range")}
    outcome = run_flow(Steps({("quantize", "int8"): refused}, known=known))
    assert outcome.state("quantize/int8") == "failed"
    judged = outcome.steps.requests["gate", ""]
    assert [item.artifact.variant for item in judged.candidates] == ["dynamic_range"]
    assert [(failure.variant, failure.kind) for failure in judged.failures] == [("int8", "unsupported")]
    assert outcome.pull("promote")["champion"]["variant"] == "dynamic_range"


def test_a_failing_check_lets_no_recalled_variant_pass(run_flow: Run) -> None:
    known = {(step, name) for step in COMPUTED - {"lint"} for name in ("", "float32", "dynamic_range", "int8")}
    outcome = run_flow(Steps({("lint", "float32"): BadInput("calibration.uri", "samples", "others")}, known=known))
    assert outcome.pull("lookup_cache") == []
    assert (outcome.state("check"), outcome.state("gate")) == ("failed", "failed")
    assert outcome.state("promote") == "upstream_failed"
    assert ("gate", "") not in outcome.steps.requests
