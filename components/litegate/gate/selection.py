"""Which of the passed variants is promoted: a pure function of verdicts and measurements."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from litegate.records import Candidate, Selection, SelectRequest, Verdict

__all__ = ["refuted_digests", "select"]

_RULES: dict[str, Callable[[Candidate, Verdict], float]] = {
    "smallest": lambda item, _: item.artifact.file.bytes,
    "fastest": lambda item, _: item.benchmark.latency_ms if item.benchmark else float("inf"),
    # The paired drop, not the metric itself: variants may have seen different samples.
    "most_accurate": lambda _, verdict: float("inf") if verdict.drop is None else verdict.drop,
}


_OF_THE_BYTES = frozenset({"lost_class", "implausible_gain", "not_finite", "too_slow"})
"""Reasons of the gate, beside its clauses, that hold for a file whatever it is called."""


def select(request: SelectRequest) -> Selection:
    """The best passed variant by the spec's rule; ties go to the smaller, then to the first by name.

    Variants may have equal bytes. A file that was measured to break the policy under one name does not ship under
    another; of several names under which it passed, the one that was judged on the most samples stands for it.
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
    best, _ = min(
        _files(candidates),
        key=lambda pair: (measure(*pair), pair[0].artifact.file.bytes, pair[0].artifact.variant),
    )
    rule = request.rule.replace("_", " ")
    return Selection(variant=best.artifact.variant, why=f"the {rule} of {len(candidates)} that passed the gate")


def refuted_digests(verdicts: Iterable[Verdict]) -> set[str]:
    """The files that were measured to break the policy, whatever they are called."""
    return {verdict.digest for verdict in verdicts if verdict.digest is not None and _is_refuted(verdict)}


def _is_refuted(verdict: Verdict) -> bool:
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
