"""Step `judge`: gather the outcomes and the facts for the gate, and let it judge every variant asked for."""

from __future__ import annotations

import numpy as np

from litegate.gate import Outcomes, judge
from litegate.records import Candidate, GateRequest, Reason, Verdict, Verdicts
from litegate.variants import BASELINE, TARGETS
from litegate.work import Work

__all__ = ["run"]


def run(request: GateRequest, work: Work) -> Verdicts:
    """A verdict for the baseline and for every variant that was asked for, measured or not."""
    candidates = {candidate.artifact.variant: candidate for candidate in request.candidates}
    baseline = _outcomes(request.baseline, work)
    verdicts = [_baseline_verdict(request.baseline)]
    for name in request.variants:
        candidate = candidates.get(name)
        outcomes = _outcomes(candidate, work) if candidate else None
        digest = candidate.artifact.file.digest if candidate else None
        refusals = (*_failures(request, name), *_facts(request, name, candidate))
        verdicts.append(judge(name, digest, request.policy, baseline, outcomes, refusals))
    for verdict in verdicts:
        work.say("gate: %s %s: %s", verdict.variant, verdict.state, "; ".join(r.message for r in verdict.reasons))
    return Verdicts(verdicts=tuple(verdicts))


def _outcomes(candidate: Candidate, work: Work) -> Outcomes:
    with np.load(work.path(candidate.evaluated.outcomes), allow_pickle=False) as arrays:
        return Outcomes(arrays["index"], arrays["correct"])


def _baseline_verdict(baseline: Candidate) -> Verdict:
    evaluated = baseline.evaluated
    return Verdict(
        variant=BASELINE,
        state="baseline",
        value=evaluated.value,
        drop=0.0,
        drop_low=0.0,
        drop_high=0.0,
        samples=evaluated.samples,
        digest=baseline.artifact.file.digest,
    )


def _failures(request: GateRequest, name: str) -> tuple[Reason, ...]:
    """What broke on the way: a variant whose profile failed is not whole, even if its accuracy is known."""
    return tuple(
        Reason(code=f"{failure.step}_{failure.kind}", message=f"{failure.step} failed: {failure.message}")
        for failure in request.failures
        if failure.variant == name
    )


def _facts(request: GateRequest, name: str, candidate: Candidate | None) -> tuple[Reason, ...]:
    """What rules a variant out whatever it scored."""
    reasons = []
    if name not in TARGETS[request.target].runnable:
        reasons.append(Reason(code="wrong_target", message=f"{request.target} cannot run {name}"))
    if candidate and candidate.evaluated.artifact_digest != candidate.artifact.file.digest:
        message = "the outcomes belong to another file than the one that would be promoted"
        reasons.append(Reason(code="digest_mismatch", message=message))
    if candidate and candidate.evaluated.metric != request.baseline.evaluated.metric:
        reasons.append(Reason(code="metric_mismatch", message="the baseline was measured with another metric"))
    return tuple(reasons)
