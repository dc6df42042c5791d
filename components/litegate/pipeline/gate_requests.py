"""What the gate is asked: in the end about all files, and before one is recovered about those before it."""

from __future__ import annotations

from litegate.failures import FailureKind
from litegate.pipeline.results import Results
from litegate.records import Candidate, Failure, GateRequest
from litegate.spec import Gate

__all__ = ["assessment_request", "final_gate_request"]


def final_gate_request(results: Results, _: str = "") -> GateRequest:
    """What the gate is asked when everything is measured."""
    spec, asked = results.resolved().spec, results.judged_variants()
    untried = len(spec.quantized_variants) - len(asked)
    return _gate_request(results, variants=asked, policy=spec.gate, untried=untried)


def assessment_request(results: Results, recovery: str) -> GateRequest:
    """What the gate is asked before a file is recovered: about all that come before it, as far as they are measured.

    Latencies are not, yet: a file that is recovered is no faster than what it begins with.
    """
    spec = results.resolved().spec
    turn = spec.recoveries.index(recovery)
    before = (*spec.first_variants, *spec.recoveries[:turn])
    asked = tuple(name for name in results.judged_variants() if name in before)
    return _gate_request(
        results,
        variants=asked,
        policy=spec.gate.model_copy(update={"max_latency_ratio": None}),
        untried=len(spec.quantized_variants) - len(asked),
        timed=False,
    )


def _gate_request(
    results: Results, *, variants: tuple[str, ...], policy: Gate, untried: int, timed: bool = True
) -> GateRequest:
    """What the gate is asked about some variants.

    Args:
        untried: how many more there may be.
        timed: whether latencies were measured; what has none has failed then.
    """
    resolved = results.resolved()
    spec = resolved.spec
    candidates = tuple(each for each in results.candidates() if each.artifact.variant in variants)
    failures = (*results.failures(), *results.benchmark_failures())
    return GateRequest(
        policy=policy,
        target=spec.target,
        variants=variants,
        untried=untried,
        baseline=results.baseline(),
        candidates=candidates,
        champion=results.champion() if spec.gate.max_drop_from_champion is not None else None,
        metric_code=resolved.metric_code,
        seed=spec.calibration.seed,
        failures=(*failures, *_silent_failures(candidates, failures, timed)),
        allow_evaluation=tuple(spec.evaluation.allow),
    )


def _silent_failures(candidates: tuple[Candidate, ...], failures: tuple[Failure, ...], timed: bool) -> list[Failure]:
    """A step whose caller was killed leaves nothing, not even its failure."""
    reported = {failure.variant for failure in failures}
    silent = [(step, item.artifact.variant) for item in candidates if (step := _missing(item, timed)) is not None]
    message = "the task ended without a result: open its log"
    return [
        Failure(step=step, kind=FailureKind.NO_RESULT, message=message, variant=variant)
        for step, variant in silent
        if variant not in reported
    ]


def _missing(candidate: Candidate, timed: bool) -> str | None:
    """The first step that a measured variant has no result of."""
    steps = {"inspect": candidate.inspection, "smoke": candidate.smoke, "benchmark": candidate.benchmark}
    return next((step for step, result in steps.items() if result is None and (timed or step != "benchmark")), None)
