"""The gate's request: whoever ended without a word is a failure too, and a champion is never forgotten."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from litegate.errors import StepFailed
from litegate.records import Artifact, Candidate, Evaluated, Failure, FileRef, GateRequest, MetricFacts, UserCode
from litegate.spec import parse_spec
from litegate_airflow.operators.gate import GateOperator
from tests.operators.runtime.test_run_records import inspection, smoke
from tests.operators.wiring import NAMED

FILE = FileRef(name="f", digest="0" * 64, bytes=1)
DATA = {"uri": "d.npz", "format": "npz"}
SPEC = {
    "model": {"name": "m", "uri": "m.keras"},
    "calibration": DATA,
    "evaluation": DATA,
    "variants": ["int8", "uint8"],
}


def not_benchmarked(variant: str, inspected: bool = True) -> Candidate:
    score = {"samples": 1, "available": 1, "outcomes": FILE, "seconds": 0.1, "kernels": "x"}
    artifact = Artifact(variant=variant, file=FILE, signatures={})
    facts = MetricFacts(name="top1")
    evaluated = Evaluated(variant=variant, artifact_digest="0" * 64, metric=facts, **score)
    found = {"inspection": inspection(variant), "smoke": smoke(variant)} if inspected else {}
    return Candidate(artifact=artifact, evaluated=evaluated, **found)


CHAMPION = not_benchmarked("champion")
CODE = UserCode(reference="mine:Metric", folder="x", digest="2" * 64)


def request(policy: dict[str, Any], **found: Any) -> GateRequest:
    """The gate's request where earlier tasks have found `found`."""
    spec = parse_spec(SPEC | {"gate": policy, "calibration": DATA | {"seed": 5}})
    records: Any = SimpleNamespace(
        **{
            "resolved": lambda: SimpleNamespace(spec=spec, metric_code=CODE),
            "check_measured": lambda: None,
            "baseline": lambda: not_benchmarked("float32"),
            "candidates": lambda: (not_benchmarked("int8"), not_benchmarked("uint8")),
            "failures": tuple,
            "benchmark_failures": tuple,
            "judged_variants": lambda: spec.quantized_variants,
            "champion": lambda: CHAMPION,
        }
        | found
    )
    found = GateOperator(upstream=NAMED, task_id="gate").request(records)
    assert isinstance(found, GateRequest)
    return found


def test_a_profile_that_was_killed_without_a_word_counts_as_failed() -> None:
    said = Failure(step="benchmark", kind="segfault", message="died", variant="uint8")
    failures = request({}, failures=lambda: (said,)).failures
    assert [(item.step, item.kind, item.variant) for item in failures] == [
        ("benchmark", "segfault", "uint8"),
        ("benchmark", "no_result", "int8"),
    ]


def test_a_variant_that_was_not_inspected_counts_as_failed() -> None:
    failures = request({}, candidates=lambda: (not_benchmarked("int8", inspected=False),)).failures
    assert [(item.step, item.kind, item.variant) for item in failures] == [("inspect", "no_result", "int8")]


def test_the_request_holds_all_that_the_verdicts_depend_on() -> None:
    found = request({"max_drop": 0.03})
    assert (found.policy.max_drop, found.target, found.variants) == (0.03, "cpu", ("int8", "uint8"))
    assert (found.metric_code, found.seed) == (CODE, 5)


def test_the_champion_is_part_of_it_only_if_the_policy_compares_with_it() -> None:
    assert request({}).champion is None
    assert request({"max_drop_from_champion": 0.0}).champion == CHAMPION


def test_a_champion_that_is_not_measured_stops_the_gate() -> None:
    def missing() -> Any:
        raise StepFailed("evaluate", "no_result", "left no Evaluated")

    with pytest.raises(StepFailed, match="evaluate"):
        request({"max_drop_from_champion": 0.01}, champion=missing)
