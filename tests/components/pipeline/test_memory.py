"""Results in memory: what is there is found by step and variant, and what is not is an error that says so."""

from __future__ import annotations

import pytest

from litegate.errors import StepFailed
from litegate.pipeline.memory import ResultsInMemory
from litegate.records import Artifact, Failure, FileRef
from litegate.variants import BASELINE


def artifact(variant: str) -> Artifact:
    return Artifact(variant=variant, file=FileRef(name="f", digest="0" * 64, bytes=1), signatures={})


def test_a_result_is_found_by_step_and_variant() -> None:
    results = ResultsInMemory()
    results.keep("quantize", "int8", artifact("int8"))
    assert results.artifact("int8") == artifact("int8")
    assert results.maybe(Artifact, "quantize", "uint8") is None


def test_a_result_that_is_missing_is_an_error() -> None:
    with pytest.raises(StepFailed, match="the step quantize has no result for int8"):
        ResultsInMemory().artifact("int8")


def test_the_variants_are_in_litegates_order_whichever_was_ready_first() -> None:
    results = ResultsInMemory()
    for variant in ("int16x8", "dynamic_range", "int8"):
        results.keep("quantize", variant, artifact(variant))
    results.keep("quantize", BASELINE, artifact(BASELINE))
    assert [item.variant for item in results.all(Artifact, "quantize")] == ["dynamic_range", "int8", "int16x8"]


def test_a_variant_has_one_failure() -> None:
    results = ResultsInMemory()
    for variant in ("uint8", "float16"):
        results.keep_failure(Failure(step="quantize", kind="segfault", message="died", variant=variant))
    assert [failure.variant for failure in results.failures()] == ["float16", "uint8"]
