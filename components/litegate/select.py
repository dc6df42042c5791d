"""Which of the passed variants is promoted: a pure function of verdicts and measurements."""

from __future__ import annotations

from collections.abc import Callable

from litegate.records import Candidate, Selection, SelectRequest, Verdict

__all__ = ["select"]

_RULES: dict[str, Callable[[Candidate, Verdict], float]] = {
    "smallest": lambda item, _: item.artifact.file.bytes,
    "fastest": lambda item, _: item.profile.latency_ms if item.profile else float("inf"),
    # The paired drop, not the metric itself: variants may have seen different samples.
    "most_accurate": lambda _, verdict: float("inf") if verdict.drop is None else verdict.drop,
}


def select(request: SelectRequest) -> Selection:
    """The best passed variant by the spec's rule; ties go to the smaller, then to the first by name.

    Variants may have equal bytes: a file whose loss is proved under one name does not ship under another.
    """
    refuted = {verdict.digest for verdict in request.verdicts if _is_refuted(verdict)}
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
    best, _ = min(candidates, key=lambda pair: (measure(*pair), pair[0].artifact.file.bytes, pair[0].artifact.variant))
    rule = request.rule.replace("_", " ")
    return Selection(variant=best.artifact.variant, why=f"the {rule} of {len(candidates)} that passed the gate")


def _is_refuted(verdict: Verdict) -> bool:
    """Whether samples have shown that these bytes break the policy, whatever they are called."""
    return verdict.state == "failed" and any(clause.state == "failed" for clause in verdict.clauses)
