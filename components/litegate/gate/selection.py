"""Which of the passed variants is promoted: a pure function of verdicts and measurements."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from litegate.presentation.benchmarks import benchmark_conditions
from litegate.records import Candidate, LatencyRatio, Selection, SelectRequest, Verdict

__all__ = ["is_refuted", "refuted_digests", "select"]

_RULES: dict[str, Callable[[Candidate, Verdict], tuple[float, ...]]] = {
    "smallest": lambda item, _: (item.artifact.file.bytes,),
    "fastest": lambda item, _: _latency(item),
    # The paired drop, not the metric itself: variants may have seen different samples.
    "most_accurate": lambda _, verdict: (math.inf if verdict.drop is None else verdict.drop,),
}


_OF_THE_BYTES = frozenset({"lost_class", "implausible_gain", "not_finite", "too_slow"})
"""Reasons of the gate, beside its clauses, that hold for a file whatever it is called."""


def select(request: SelectRequest) -> Selection:
    """The best passed variant by the spec's rule; ties go to the smaller, then to the first by name.

    The fastest is tied with all whose latency cannot be told from its own. Variants may have equal bytes. A file that
    was measured to break the policy under one name does not ship under another; of several names under which it passed,
    the one that was judged on the most samples stands for it.
    """
    refuted = refuted_digests(request.verdicts)
    passed = {
        (verdict.variant, verdict.digest): verdict
        for verdict in request.verdicts
        if verdict.state == "passed" and verdict.digest not in refuted
    }
    keys = ((item, passed.get((item.artifact.variant, item.artifact.file.digest))) for item in request.candidates)
    candidates = [(item, verdict) for item, verdict in keys if verdict is not None]
    if not candidates:
        return Selection(variant=None, why="nothing passed the gate")
    measure = _RULES[request.rule]
    files = sorted(
        _files(candidates),
        key=lambda pair: (measure(*pair), pair[0].artifact.file.bytes, pair[0].artifact.variant),
    )
    best, why = files[0][0], f"the {request.rule.replace('_', ' ')}"
    if request.rule == "fastest":
        best, why = _fastest([item for item, _ in files])
    return Selection(variant=best.artifact.variant, why=f"{why} of {len(candidates)} that passed the gate")


def refuted_digests(verdicts: Iterable[Verdict]) -> set[str]:
    """The files that were measured to break the policy, whatever they are called."""
    return {verdict.digest for verdict in verdicts if verdict.digest is not None and is_refuted(verdict)}


def is_refuted(verdict: Verdict) -> bool:
    """Whether the verdict is about the bytes; a step that failed, or what the name promises, is not."""
    clauses = {clause.state for clause in verdict.clauses}
    codes = {reason.code for reason in verdict.reasons}
    return verdict.state == "failed" and ("failed" in clauses or not codes.isdisjoint(_OF_THE_BYTES))


def _files(candidates: Iterable[tuple[Candidate, Verdict]]) -> Iterable[tuple[Candidate, Verdict]]:
    """One candidate for each file."""
    by_digest: dict[str, tuple[Candidate, Verdict]] = {}
    for pair in sorted(candidates, key=lambda pair: (-pair[1].samples, pair[0].artifact.variant)):
        by_digest.setdefault(pair[0].artifact.file.digest, pair)
    return by_digest.values()


def _latency(item: Candidate) -> tuple[float, ...]:
    """As a share of float32's where that is known: what is timed in pairs is told apart better."""
    if item.benchmark is None:
        return (2.0, 0.0)
    ratio = item.benchmark.ratio
    return (1.0, item.benchmark.latency_ms) if ratio is None else (0.0, ratio.estimate)


def _fastest(files: Sequence[Candidate]) -> tuple[Candidate, str]:
    """The smallest of those that the fastest cannot be told from, and what it is called.

    Args:
        files: the fastest first.
    """
    first = files[0].benchmark
    if first is None:
        return files[0], "the first, though no latency is known,"
    where = benchmark_conditions(first)
    if first.ratio is None:
        return files[0], f"the fastest ({where}; there is no interval)"
    alike = [(item, ratio) for item in files if (ratio := _ratio(item)) is not None and ratio.low <= first.ratio.high]
    if len(alike) == 1:
        return files[0], f"the fastest ({where})"
    best, _ = min(alike, key=lambda pair: pair[0].artifact.file.bytes)
    shares = ", ".join(f"{item.artifact.variant} {ratio.low:.3g} to {ratio.high:.3g}" for item, ratio in alike)
    said = f"the smallest of {len(alike)} that are equally fast within noise"
    return best, f"{said} (shares of float32's latency: {shares}; {where}),"


def _ratio(item: Candidate) -> LatencyRatio | None:
    return item.benchmark.ratio if item.benchmark else None
