"""What the control variate of a verdict was, in sentences."""

from __future__ import annotations

from litegate.digest import digest_bytes
from litegate.presentation.controls import control_of, controls
from litegate.records import Artifact, Candidate, ControlOutcomes, Evaluated, FileRef, MetricFacts

REF = FileRef(name="f", digest=digest_bytes(b"f"), bytes=1)
NEAR = ControlOutcomes(runtime="near", title="arithmetic", kernels="k", outcomes=REF)
HOST = ControlOutcomes(runtime="litert", title="LiteRT", kernels="xnnpack", refused="arithmetic cannot run it: TANH")


def candidate(variant: str, control: ControlOutcomes | None) -> Candidate:
    known = {"artifact_digest": REF.digest, "metric": MetricFacts(name="top1"), "samples": 9, "available": 9}
    evaluated = Evaluated(variant=variant, outcomes=REF, seconds=1.0, kernels="k", control=control, **known)
    return Candidate(artifact=Artifact(variant=variant, file=REF, signatures={}), evaluated=evaluated)


def test_files_with_one_control_variate_share_a_sentence() -> None:
    found = controls([candidate("int8", NEAR), candidate("int16x8", HOST), candidate("uint8", NEAR)])
    assert found == [
        "the control variate of int8, uint8 is arithmetic",
        "the control variate of int16x8 is LiteRT, for arithmetic cannot run it: TANH",
    ]


def test_nothing_is_said_where_the_host_is_what_was_asked_for() -> None:
    assert control_of(candidate("int8", None)) == ""
    assert controls([candidate("int8", None)]) == []
