"""Selection among the passed variants."""

from __future__ import annotations

import pytest

from litegate.digest import digest_json
from litegate.metrics.facts import BUILT_IN
from litegate.records import (
    Artifact,
    Candidate,
    Clause,
    Evaluated,
    FileRef,
    MetricFacts,
    Profile,
    SelectRequest,
    Verdict,
)
from litegate.select import select


def candidate(
    variant: str, size: int, latency: float | None = 1.0, metric: MetricFacts = BUILT_IN["top1"]
) -> Candidate:
    file = FileRef(name=f"{variant}.tflite", digest=digest_json(variant), bytes=size)
    evaluated = Evaluated(
        variant=variant,
        artifact_digest=digest_json(variant),
        metric=metric,
        samples=10,
        available=10,
        outcomes=file,
        seconds=1,
        kernels="x",
    )
    profile = None
    if latency is not None:
        profile = Profile(variant=variant, latency_ms=latency, latency_p95_ms=latency, runs=5, host="h", kernels="x")
    return Candidate(artifact=Artifact(variant=variant, file=file, signatures={}), evaluated=evaluated, profile=profile)


CANDIDATES = (
    candidate("dynamic_range", 100, 2.0),
    candidate("float16", 200, 3.0),
    candidate("int8", 120, 1.0),
    candidate("uint8", 90, None),
)


@pytest.mark.parametrize(
    ("rule", "passed", "expected"),
    [
        ("smallest", {"dynamic_range", "float16", "int8"}, "dynamic_range"),
        ("fastest", {"dynamic_range", "float16", "int8", "uint8"}, "int8"),
        ("most_accurate", {"dynamic_range", "float16", "int8"}, "float16"),
        ("smallest", {"float16"}, "float16"),
        ("smallest", set(), None),
    ],
)
def test_the_rule_picks_among_the_passed_only(rule: str, passed: set[str], expected: str | None) -> None:
    states = {name: "passed" if name in passed else "inconclusive" for name in (c.artifact.variant for c in CANDIDATES)}
    drops = {"dynamic_range": 0.02, "float16": -0.01, "int8": 0.01, "uint8": 0.5}
    verdicts = tuple(
        Verdict(variant=name, state=state, digest=digest_json(name), drop=drops[name]) for name, state in states.items()
    )
    request = SelectRequest(rule=rule, verdicts=verdicts, candidates=CANDIDATES)  # type: ignore[arg-type]
    assert select(request).variant == expected


def test_a_passed_verdict_for_other_bytes_selects_nothing() -> None:
    verdict = Verdict(variant="int8", state="passed", digest=digest_json("other bytes"))
    assert select(SelectRequest(rule="smallest", verdicts=(verdict,), candidates=CANDIDATES)).variant is None


def test_ties_go_to_the_smaller_file() -> None:
    twins = (candidate("float16", 200), candidate("int8", 100))
    verdicts = tuple(Verdict(variant=c.artifact.variant, state="passed", digest=c.artifact.file.digest) for c in twins)
    assert select(SelectRequest(rule="most_accurate", verdicts=verdicts, candidates=twins)).variant == "int8"


def test_the_most_accurate_is_told_by_paired_drops_since_samples_differ() -> None:
    lucky, honest = candidate("int16x8", 100), candidate("int8", 100)
    verdicts = (
        Verdict(variant="int16x8", state="passed", digest=digest_json("int16x8"), value=0.99, drop=0.01, samples=20),
        Verdict(variant="int8", state="passed", digest=digest_json("int8"), value=0.90, drop=0.0, samples=1000),
    )
    request = SelectRequest(rule="most_accurate", verdicts=verdicts, candidates=(lucky, honest))
    assert select(request).variant == "int8"


def test_the_most_accurate_by_a_metric_of_which_less_is_better_is_the_one_that_loses_least() -> None:
    large, small = candidate("int8", 100, metric=BUILT_IN["mae"]), candidate("float16", 200, metric=BUILT_IN["mae"])
    verdicts = (
        Verdict(variant="int8", state="passed", digest=digest_json("int8"), value=0.30, baseline=0.2, drop=0.10),
        Verdict(variant="float16", state="passed", digest=digest_json("float16"), value=0.21, baseline=0.2, drop=0.01),
    )
    request = SelectRequest(rule="most_accurate", verdicts=verdicts, candidates=(large, small))
    assert select(request).variant == "float16"


@pytest.mark.parametrize(("clause", "expected"), [("failed", "float16"), ("inconclusive", "int8")])
def test_bytes_that_are_proved_too_inaccurate_under_one_name_do_not_ship_under_another(
    clause: str, expected: str
) -> None:
    int8, uint8, float16 = candidate("int8", 100), candidate("uint8", 100), candidate("float16", 200)
    same = int8.artifact.file.digest
    twin = uint8.artifact.model_copy(update={"file": uint8.artifact.file.model_copy(update={"digest": same})})
    twins = (int8, uint8.model_copy(update={"artifact": twin}), float16)
    tested = {"name": "max_drop", "state": clause, "estimate": 0.1, "low": 0.09, "high": 0.2, "limit": 0.01}
    verdicts = (
        Verdict(variant="int8", state="passed", digest=same),
        Verdict(variant="uint8", state=clause, digest=same, clauses=(Clause(**tested, p_value=1.0, samples=9),)),
        Verdict(variant="float16", state="passed", digest=float16.artifact.file.digest),
    )
    assert select(SelectRequest(rule="smallest", verdicts=verdicts, candidates=twins)).variant == expected
