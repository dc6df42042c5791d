"""Selection among the passed variants."""

from __future__ import annotations

from typing import Any

import pytest

from litegate.digest import digest_json
from litegate.gate.selection import select
from litegate.records import (
    Artifact,
    Benchmark,
    Candidate,
    Clause,
    Evaluated,
    FileRef,
    LatencyRatio,
    MetricFacts,
    Reason,
    Selection,
    SelectRequest,
    Verdict,
)
from litegate.spec.metric_facts import BUILT_IN


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
    benchmark = None
    if latency is not None:
        benchmark = Benchmark(
            variant=variant,
            artifact_digest=file.digest,
            latency_ms=latency,
            latency_p95_ms=latency,
            runs=5,
            host="h",
            kernels="x",
        )
    return Candidate(
        artifact=Artifact(variant=variant, file=file, signatures={}), evaluated=evaluated, benchmark=benchmark
    )


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


def twins(*variants: str) -> tuple[Candidate, ...]:
    """Variants of the same bytes."""
    first = candidate(variants[0], 100)
    return tuple(
        each.model_copy(update={"artifact": each.artifact.model_copy(update={"file": first.artifact.file})})
        for each in (candidate(name, 100) for name in variants)
    )


def clause(state: str) -> Clause:
    tested = {"name": "max_drop", "state": state, "estimate": 0.1, "low": 0.09, "high": 0.2, "limit": 0.01}
    return Clause(**tested, p_value=1.0, samples=9)


@pytest.mark.parametrize(
    ("state", "clauses", "code", "expected"),
    [
        ("failed", ("failed",), "above_max_drop", "float16"),
        ("failed", ("passed",), "lost_class", "float16"),
        ("failed", ("passed",), "implausible_gain", "float16"),
        ("failed", ("passed",), "too_slow", "float16"),
        ("failed", (), "not_finite", "float16"),
        ("failed", (), "evaluate_timeout", "int8"),
        ("failed", ("passed",), "not_integer_only", "int8"),
        ("inconclusive", ("inconclusive",), "undecided_max_drop", "int8"),
    ],
)
def test_bytes_that_are_proved_too_inaccurate_under_one_name_do_not_ship_under_another(
    state: str, clauses: tuple[str, ...], code: str, expected: str
) -> None:
    same, float16 = twins("int8", "uint8"), candidate("float16", 200)
    digest = same[0].artifact.file.digest
    other = Verdict(
        variant="uint8",
        state=state,
        digest=digest,
        clauses=tuple(map(clause, clauses)),
        reasons=(Reason(code=code, message="so"),),
    )
    verdicts = (
        Verdict(variant="int8", state="passed", digest=digest),
        other,
        Verdict(variant="float16", state="passed", digest=float16.artifact.file.digest),
    )
    request = SelectRequest(rule="smallest", verdicts=verdicts, candidates=(*same, float16))
    assert select(request).variant == expected


@pytest.mark.parametrize("rule", ["smallest", "fastest", "most_accurate"])
@pytest.mark.parametrize(("samples", "expected"), [((500, 10_000), "int16x8_float_fallback"), ((500, 500), "int16x8")])
def test_of_the_names_of_one_file_the_one_that_was_judged_on_most_samples_stands_for_it(
    rule: str, samples: tuple[int, int], expected: str
) -> None:
    names = ("int16x8", "int16x8_float_fallback")
    same = twins(*names)
    quick = same[0].model_copy(update={"benchmark": candidate("int16x8", 100, 0.5).benchmark})
    digest = same[0].artifact.file.digest
    verdicts = tuple(
        Verdict(variant=name, state="passed", digest=digest, samples=count, drop=drop)
        for name, count, drop in zip(names, samples, (0.001, 0.002), strict=True)
    )
    for candidates in ((quick, same[1]), (same[1], quick)):
        assert select(SelectRequest(rule=rule, verdicts=verdicts, candidates=candidates)).variant == expected


def timed(variant: str, size: int, low: float, high: float, **changes: Any) -> Candidate:
    """A variant whose share of float32's latency is known so well."""
    ratio = LatencyRatio(estimate=(low + high) / 2, low=low, high=high, confidence=0.95, rounds=31)
    found = candidate(variant, size)
    assert found.benchmark is not None
    changes |= {"ratio": ratio, "measured_at": "2026-01-31T12:34:56.000000+00:00"}
    return found.model_copy(update={"benchmark": found.benchmark.model_copy(update=changes)})


def fastest(*candidates: Candidate) -> Selection:
    verdicts = tuple(
        Verdict(variant=item.artifact.variant, state="passed", digest=item.artifact.file.digest) for item in candidates
    )
    return select(SelectRequest(rule="fastest", verdicts=verdicts, candidates=candidates))


def test_the_fastest_is_told_by_pairs_and_not_by_milliseconds() -> None:
    slow_host = timed("int8", 120, 0.30, 0.32, latency_ms=9.0)
    found = fastest(timed("float16", 100, 0.9, 1.1, latency_ms=1.0), slow_host)
    assert (found.variant, found.why) == (
        "int8",
        "the fastest (on h, at 2026-01-31 12:34 UTC) of 2 that passed the gate",
    )


def test_of_those_that_are_equally_fast_within_noise_the_smallest_is_selected_and_that_is_said() -> None:
    found = fastest(
        timed("float16", 300, 0.9, 1.1), timed("int8", 120, 0.30, 0.34), timed("uint8", 110, 0.33, 0.41, noise="busy")
    )
    assert found.variant == "uint8"
    assert found.why == (
        "the smallest of 2 that are equally fast within noise (shares of float32's latency: int8 0.3 to 0.34, uint8 "
        "0.33 to 0.41; on h, at 2026-01-31 12:34 UTC), of 3 that passed the gate"
    )


def test_intervals_that_touch_cannot_be_told_apart_and_those_beside_each_other_can() -> None:
    assert fastest(timed("int8", 120, 0.3, 0.4), timed("uint8", 110, 0.4, 0.5)).variant == "uint8"
    assert fastest(timed("int8", 120, 0.3, 0.4), timed("uint8", 110, 0.41, 0.5)).variant == "int8"


def test_a_noisy_host_is_named_with_what_was_selected_on_it() -> None:
    found = fastest(timed("int8", 120, 0.3, 0.4, noise="it waited for a processor 31% of the time"))
    assert "which was noisy: it waited for a processor 31% of the time" in found.why


def test_a_latency_without_an_interval_comes_after_those_with_one() -> None:
    assert fastest(candidate("float16", 90, 0.001), timed("int8", 120, 0.3, 0.4)).variant == "int8"
    assert "there is no interval" in fastest(candidate("float16", 90, 0.001)).why
