"""What the flow finds of earlier runs, what it computes again, and what both are judged by."""

from __future__ import annotations

from typing import Any

import pytest

from litegate.errors import BadInput, StepFailed
from tests.dags.pretended import EVERYTHING, Run, Steps

FLOW = ("convert", "sample", "check", "calibrate", "quantize", "evaluate", "benchmark")
COMPUTED = {"convert", "sample", "lint", "conversion_check", "calibrate"}
COMPUTED |= {"quantize", "inspect", "smoke", "evaluate", "benchmark"}


def test_a_run_whose_results_are_all_there_skips_to_the_gate(run_flow: Run) -> None:
    computed, cached = run_flow(Steps()), run_flow(Steps(known={EVERYTHING}))
    assert not COMPUTED & {step for step, _ in cached.steps.requests}
    assert {cached.state(task) for task in FLOW} == {"skipped"}
    assert {cached.state(task) for task in ("lookup_cache", "gate", "register", "promote")} == {"success"}
    assert cached.pull("lookup_cache") == []
    for outcome in (computed, cached):
        resolved = outcome.pull("resolve", key="resolved")
        assert outcome.pull("lookup_cache", key="cached")["resolve"] == resolved, "one question for both"
    for step in ("gate", "register"):
        before, after = (each.steps.requests[step, ""] for each in (computed, cached))
        assert after.model_copy(update=_of_this_run(before)) == before


def _of_this_run(request: Any) -> dict[str, Any]:
    return {name: getattr(request, name) for name in ("run_key", "links", "origin") if hasattr(request, name)}


BASELINE = {("lint", ""), ("conversion_check", ""), ("inspect", "float32"), ("smoke", "float32")}


@pytest.mark.parametrize(("missing", "quantized"), [("smoke", ["int8"]), ("evaluate", [])])
def test_only_what_is_missing_is_computed(run_flow: Run, missing: str, quantized: list[str]) -> None:
    of_files = {(step, name) for step in ("quantize", "inspect", "smoke") for name in ("dynamic_range", "int8")}
    evaluated = {("evaluate", name) for name in ("float32", "dynamic_range", "int8")}
    known = {("convert", ""), ("sample", ""), ("calibrate", "")} | BASELINE | of_files | evaluated
    outcome = run_flow(Steps(known=known - {(missing, "int8")}))
    assert outcome.pull("lookup_cache") == quantized
    assert {name.partition("/")[2] for name in outcome.tasks if name.startswith("quantize/")} - {""} == set(quantized)
    assert outcome.state("evaluate") == outcome.state("benchmark") == "success"
    assert {variant for step, variant in outcome.steps.requests if step == missing} == {"int8"}
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
