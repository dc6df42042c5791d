"""What rules a variant out whatever it scored, clause by clause, at and beside each limit."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import pytest

from litegate.digest import digest_json
from litegate.gate.file_facts import FILE_CLAUSES, refusals
from litegate.records import (
    Artifact,
    Benchmark,
    Candidate,
    DeadOutput,
    Evaluated,
    Failure,
    FileRef,
    GateRequest,
    Inspection,
    LatencyRatio,
    MetricFacts,
    ReferenceOutcomes,
    Signature,
    SmokeRun,
    TensorSpec,
)
from litegate.spec import Gate

OUTCOMES = FileRef(name="outcomes.npz", digest="1" * 64, bytes=1)
OTHERS = "2" * 64


SAME = LatencyRatio(estimate=1.0, low=1.0, high=1.0, confidence=0.95, rounds=31)


def candidate(
    variant: str, size: int = 100, ms: float | None = 1.0, host: str = "here", dtype: str = "int8", **changes: Any
) -> Candidate:
    signature = Signature(
        inputs={"x": TensorSpec(shape=(1,), dtype=dtype)}, outputs={"y": TensorSpec(shape=(1,), dtype="int8")}
    )
    file = FileRef(name=f"{variant}.tflite", digest=digest_json(variant), bytes=size)
    found = {"variant": variant, "artifact_digest": file.digest, "metric": MetricFacts(name="top1")}
    found |= {"samples": 9, "available": 9, "outcomes": OUTCOMES, "seconds": 0.1, "kernels": "reference"}
    benchmark = {
        "variant": variant,
        "artifact_digest": file.digest,
        "latency_p95_ms": 2.0,
        "runs": 9,
        "host": host,
        "kernels": "x",
        "ratio": SAME,
    } | {"latency_ms": 1.0}
    return Candidate(
        artifact=Artifact(variant=variant, file=file, signatures={"serving_default": signature}),
        evaluated=Evaluated.model_validate(found | changes),
        benchmark=None if ms is None else Benchmark.model_validate(benchmark).model_copy(update={"latency_ms": ms}),
    )


def timed(low: float, high: float, **changes: Any) -> Candidate:
    """Of which the share of float32's latency is known so well."""
    ratio = SAME.model_copy(update={"estimate": (low + high) / 2, "low": low, "high": high})
    return benchmarked(candidate("int8"), ratio=ratio, measured_at="2026-01-31T12:34:56.000000+00:00", **changes)


def benchmarked(item: Candidate, **changes: Any) -> Candidate:
    assert item.benchmark is not None
    return item.model_copy(update={"benchmark": item.benchmark.model_copy(update=changes)})


def inspection(floats: tuple[str, ...] = (), of: str = "int8", blocking: tuple[str, ...] = ()) -> Inspection:
    counts = {"kinds": 1, "operator_count": 9, "macs": 9, "float_macs": 0, "islands": 0, "weights_compared": 0}
    empty = ("operators", "island_examples", "buffers", "largest", "findings")
    found = counts | dict.fromkeys(empty, ()) | {"inputs": {}, "outputs": {}, "weight_error": None}
    found |= {"variant": "int8", "scheme": "int8", "per_axis": 0, "per_tensor": 0, "artifact_digest": digest_json(of)}
    found |= {"float_operators": len(floats), "float_names": floats, "blocking": blocking}
    return Inspection.model_validate(found)


def inspected(floats: tuple[str, ...] = (), dtype: str = "int8", **changes: Any) -> Candidate:
    return candidate("int8", dtype=dtype).model_copy(update={"inspection": inspection(floats, **changes)})


def smoked(of: str, **changes: Any) -> Candidate:
    facts = {"samples": 9, "constant": False, "reference_samples": 9, "kernel_difference": 0.0} | changes
    smoke = SmokeRun(variant="int8", artifact_digest=digest_json(of), kernel_agreement=1.0, **facts)
    return INT8.model_copy(update={"smoke": smoke})


def dead(certain: bool) -> Candidate:
    found = {"output": "scores", "constant": True, "samples": 9, "spread": 0.9, "largest": 0.9, "certain": certain}
    return smoked("int8", dead=(DeadOutput.model_validate(found),))


FLOAT = candidate("float32", size=330, ms=0.3)
INT8 = candidate("int8")
CHAMPION = candidate("champion", ms=None)


def seen_beside(**digests: str) -> Candidate:
    pairs = [ReferenceOutcomes(role=r, artifact_digest=digest_json(d), outcomes=OUTCOMES) for r, d in digests.items()]
    return candidate("int8", references=tuple(pairs))


@dataclass(frozen=True, kw_only=True)
class Row:
    id: str
    policy: dict[str, Any] = field(default_factory=dict)
    variant: Candidate | None = INT8
    baseline: Candidate = FLOAT
    champion: Candidate | None = None
    target: str = "cpu"
    failures: tuple[Failure, ...] = ()
    code: str | None = None
    says: str = ""


DIED = Failure(step="benchmark", kind="segfault", message="SIGSEGV", variant="int8")
OTHER = Failure(step="benchmark", kind="segfault", message="SIGSEGV", variant="uint8")
RATIO = {"max_latency_ratio": 3.0}
ROWS = (
    Row(id="nothing asked for"),
    Row(id="not quantized at all", variant=None, policy={"max_bytes": 1, "integer_only": True, **RATIO}),
    Row(id="the target cannot run it", target="gpu", code="wrong_target", says="gpu cannot run int8"),
    Row(id="nor if it was not built", target="gpu", variant=None, code="wrong_target"),
    Row(id="a step failed", failures=(DIED,), code="benchmark_segfault", says="benchmark failed: SIGSEGV"),
    Row(id="a step of another variant failed", failures=(OTHER,)),
    Row(
        id="outcomes of another file",
        variant=candidate("int8", artifact_digest=OTHERS),
        code="digest_mismatch",
        says="outcomes of int8 belong to another file",
    ),
    Row(
        id="the baseline's outcomes are of another file",
        baseline=candidate("float32", artifact_digest=OTHERS),
        code="digest_mismatch",
        says="outcomes of float32",
    ),
    Row(
        id="the champion's outcomes are of another file",
        champion=candidate("champion", artifact_digest=OTHERS),
        code="digest_mismatch",
        says="outcomes of champion",
    ),
    Row(
        id="another metric",
        baseline=candidate("float32", metric=MetricFacts(name="top5")),
        code="metric_mismatch",
        says="float32 was measured with another metric (top5)",
    ),
    Row(
        id="the same name with another direction",
        champion=candidate("champion", metric=MetricFacts(name="top1", higher_is_better=False)),
        code="metric_mismatch",
    ),
    Row(id="a whole champion", champion=CHAMPION),
    Row(id="it ran beside both", variant=seen_beside(baseline="float32", champion="champion"), champion=CHAMPION),
    Row(id="the champion is not asked for", variant=seen_beside(baseline="float32", champion="champion")),
    Row(
        id="it ran beside another baseline",
        variant=seen_beside(baseline="x"),
        code="digest_mismatch",
        says="did not run beside the baseline at hand",
    ),
    Row(
        id="it is the champion, and ran beside the baseline alone",
        variant=seen_beside(baseline="float32"),
        champion=CHAMPION.model_copy(
            update={
                "artifact": CHAMPION.artifact.model_copy(update={"file": INT8.artifact.file}),
                "evaluated": CHAMPION.evaluated.model_copy(update={"artifact_digest": digest_json("int8")}),
            }
        ),
    ),
    Row(
        id="it ran before there was a champion",
        variant=seen_beside(baseline="float32"),
        champion=CHAMPION,
        code="digest_mismatch",
        says="beside the champion at hand",
    ),
    Row(id="as large as allowed", policy={"max_bytes": 100}),
    Row(id="a byte too large", policy={"max_bytes": 99}, code="too_large", says="100 bytes, at most 99 allowed"),
    Row(id="an arena as large as allowed", policy={"max_arena_bytes": 100}, variant=smoked("int8", arena_bytes=100)),
    Row(
        id="an arena that is a byte too large",
        policy={"max_arena_bytes": 99},
        variant=smoked("int8", arena_bytes=100),
        code="arena_too_large",
        says="an arena of 100 bytes, at most 99 allowed",
    ),
    Row(
        id="an arena that nobody measured",
        policy={"max_arena_bytes": 99},
        variant=smoked("int8"),
        code="arena_unknown",
        says="was not measured",
    ),
    Row(id="nobody ran it", policy={"max_arena_bytes": 99}, code="arena_unknown"),
    Row(id="as much smaller as asked for", policy={"min_size_ratio": 3.3}),
    Row(
        id="too little smaller",
        policy={"min_size_ratio": 3.31},
        code="too_little_smaller",
        says="3.3 times smaller than float32 (100 bytes, 330 bytes), at least 3.31 times asked for",
    ),
    Row(
        id="larger than float32",
        policy={"min_size_ratio": 1.0},
        variant=candidate("int8", size=331),
        code="too_little_smaller",
    ),
    Row(id="as slow as allowed", policy=RATIO, variant=timed(2.0, 3.0)),
    Row(
        id="too slow",
        policy=RATIO,
        variant=timed(3.01, 3.11),
        code="too_slow",
        says="its latency is 3.06 of float32's, between 3.01 and 3.11 with 95 % confidence "
        "(on here, at 2026-01-31 12:34 UTC), at most 3 allowed",
    ),
    Row(
        id="perhaps too slow",
        policy=RATIO,
        variant=timed(2.5, 3.5, noise="it waited for a processor 31% of the time"),
        code="latency_undecided",
        says="which was noisy: it waited for a processor 31% of the time), at most 3 allowed: an interval that",
    ),
    Row(id="slow, which nobody forbids", variant=timed(8.0, 9.0)),
    Row(
        id="timed, but not beside float32",
        policy=RATIO,
        variant=benchmarked(candidate("int8"), ratio=None),
        code="latency_unknown",
        says="it was not timed beside float32",
    ),
    Row(
        id="no benchmark",
        policy=RATIO,
        variant=candidate("int8", ms=None),
        code="latency_unknown",
        says="latency of int8 is not known",
    ),
    Row(
        id="no benchmark of the baseline",
        policy=RATIO,
        baseline=candidate("float32", ms=None),
        code="latency_unknown",
        says="latency of float32 is not known",
    ),
    *(
        Row(id=f"a latency of {ms}", policy=RATIO, variant=candidate("int8", ms=ms), code="latency_unknown")
        for ms in (math.nan, math.inf, 0.0, -1.0)
    ),
    *(
        Row(id=f"a baseline of {ms} ms", policy=RATIO, baseline=candidate("float32", ms=ms), code="latency_unknown")
        for ms in (math.nan, math.inf, 0.0)
    ),
    Row(
        id="a device that is a CPU",
        policy=RATIO,
        variant=benchmarked(candidate("int8", ms=0.1), host="here, a software device", software=True),
        code="latency_unknown",
        says="its latency was measured on here, a software device, not on the target's",
    ),
    Row(id="the named host", policy={**RATIO, "latency_host": "here"}, variant=candidate("int8", ms=0.1)),
    Row(
        id="not the named host",
        policy={**RATIO, "latency_host": "phone"},
        code="other_host",
        says="measured on here, that of float32 on here; only phone counts",
    ),
    Row(
        id="two hosts",
        policy=RATIO,
        variant=candidate("int8", host="there"),
        code="other_host",
        says="measured on there, that of float32 on here",
    ),
    Row(id="a named host, but no limit", policy={"latency_host": "phone"}),
    Row(id="integers only", policy={"integer_only": True}, variant=inspected()),
    Row(
        id="a float operator",
        policy={"integer_only": True},
        variant=inspected(("SOFTMAX", "ADD")),
        code="not_integer_only",
        says="float operators SOFTMAX, ADD, integers only",
    ),
    *(
        Row(
            id=f"a {dtype} input",
            policy={"integer_only": True},
            variant=inspected(dtype=dtype),
            code="not_integer_only",
            says=f"x ({dtype})",
        )
        for dtype in ("float32", "float16", "bfloat16")
    ),
    Row(id="operators that nobody read", policy={"integer_only": True}, code="not_integer_only", says="not read"),
    Row(id="floats, which nobody forbids", variant=inspected(("SOFTMAX",), dtype="float32")),
    Row(
        id="another file was inspected",
        variant=inspected(of="x"),
        code="digest_mismatch",
        says="the inspection is of another file",
    ),
    Row(
        id="another file was run", variant=smoked("x"), code="digest_mismatch", says="the smoke run is of another file"
    ),
    Row(
        id="an output that says nothing",
        variant=dead(certain=True),
        code="dead_output",
        says="its output scores is the same for all of 9 different samples",
    ),
    Row(id="an output that says nothing, which is allowed", variant=dead(True), policy={"allow": ["dead_output"]}),
    Row(id="columns that hardly count", variant=dead(certain=False)),
    Row(id="this very file was run", variant=smoked("int8")),
    Row(
        id="it breaks the specification",
        variant=inspected(blocking=("bias_scale", "weight_range")),
        code="inspect_specification",
        says="breaks the 8-bit quantization specification: bias_scale, weight_range",
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_a_fact_rules_a_variant_out_or_does_not(row: Row) -> None:
    request = GateRequest(
        policy=Gate.model_validate(row.policy),
        target=row.target,
        variants=("int8", "uint8"),
        baseline=row.baseline,
        candidates=(candidate("uint8", size=10**9, ms=None), *([row.variant] if row.variant else [])),
        champion=row.champion,
        failures=row.failures,
    )
    found = refusals(request, "int8")
    assert [reason.code for reason in found] == ([row.code] if row.code else [])
    assert row.says in "".join(reason.message for reason in found)


def test_all_that_speaks_against_a_variant_is_said() -> None:
    policy = Gate(max_bytes=1, min_size_ratio=99, max_latency_ratio=0.1, integer_only=True)
    request = GateRequest(
        policy=policy,
        target="gpu",
        variants=("int8",),
        baseline=FLOAT,
        candidates=(inspected(("ADD",)),),
        failures=(DIED,),
    )
    codes = [reason.code for reason in refusals(request, "int8")]
    expected = ["benchmark_segfault", "wrong_target", "too_large", "too_little_smaller"]
    expected += ["too_slow", "not_integer_only"]
    assert codes == expected


def test_the_clauses_about_files_are_keys_of_the_policy() -> None:
    assert set(Gate.model_fields) > FILE_CLAUSES


@pytest.mark.parametrize(
    ("target", "name", "floats", "runs"),
    [
        ("microcontroller", "recovered", (), True),
        ("ethos-u55-128", "recovered", (), True),
        ("microcontroller", "recovered", ("ADD",), False),
        ("microcontroller", "mine", (), False),
        ("edgetpu", "recovered", (), False),
        ("cpu", "recovered", ("ADD",), True),
    ],
)
def test_what_was_recovered_may_mix_the_integers_that_the_target_runs(
    target: str, name: str, floats: tuple[str, ...], runs: bool
) -> None:
    mixed = inspection(floats, of=name).model_copy(update={"variant": name, "scheme": "mixed"})
    item = candidate(name).model_copy(update={"inspection": mixed})
    request = GateRequest(policy=Gate(), target=target, variants=(name,), baseline=FLOAT, candidates=(item,))
    codes = [reason.code for reason in refusals(request, name) if reason.code == "wrong_target"]
    assert codes == ([] if runs else ["wrong_target"])
