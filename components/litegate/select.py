"""Which of the passed variants is promoted: a pure function of verdicts and measurements."""

from __future__ import annotations

from collections.abc import Callable

from litegate.records import Candidate, Selection, SelectRequest

__all__ = ["select"]

_RULES: dict[str, Callable[[Candidate], float]] = {
    "smallest": lambda item: item.artifact.file.bytes,
    "fastest": lambda item: item.profile.latency_ms if item.profile else float("inf"),
    "most_accurate": lambda item: -item.evaluated.value,
}


def select(request: SelectRequest) -> Selection:
    """The best passed variant by the spec's rule; ties go to the smaller, then to the first by name."""
    passed = {(verdict.variant, verdict.digest) for verdict in request.verdicts if verdict.state == "passed"}
    candidates = [item for item in request.candidates if (item.artifact.variant, item.artifact.file.digest) in passed]
    if not candidates:
        return Selection(variant=None, why="nothing passed the gate")
    measure = _RULES[request.rule]
    best = min(candidates, key=lambda item: (measure(item), item.artifact.file.bytes, item.artifact.variant))
    rule = request.rule.replace("_", " ")
    return Selection(variant=best.artifact.variant, why=f"the {rule} of {len(candidates)} that passed the gate")
