"""The gate's request: whoever ended without a word is a failure too."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from litegate.records import Artifact, Candidate, Evaluated, Failure, FileRef
from litegate.spec import parse_spec
from litegate_airflow.gate import GateOperator

FILE = FileRef(name="f", digest="0" * 64, bytes=1)
DATA = {"uri": "d.npz", "format": "npz"}
SPEC = {
    "model": {"name": "m", "uri": "m.keras"},
    "calibration": DATA,
    "evaluation": DATA,
    "variants": ["int8", "uint8"],
}


def unprofiled(variant: str) -> Candidate:
    score = {"metric": "top1", "value": 1.0, "samples": 1, "outcomes": FILE, "seconds": 0.1, "kernels": "x"}
    artifact = Artifact(variant=variant, file=FILE, signatures={})
    return Candidate(artifact=artifact, evaluated=Evaluated(variant=variant, artifact_digest="0", **score))


def test_a_profile_that_was_killed_without_a_word_counts_as_failed() -> None:
    said = Failure(step="profile", kind="segfault", message="died", variant="uint8")
    records: Any = SimpleNamespace(
        resolved=lambda: SimpleNamespace(spec=parse_spec(SPEC)),
        baseline=lambda: unprofiled("float32"),
        candidates=lambda: (unprofiled("int8"), unprofiled("uint8")),
        failures=lambda: (said,),
    )
    failures = GateOperator(task_id="gate").request(records).failures
    assert [(item.step, item.kind, item.variant) for item in failures] == [
        ("profile", "segfault", "uint8"),
        ("profile", "no_result", "int8"),
    ]
