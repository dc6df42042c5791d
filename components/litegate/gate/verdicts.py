"""The verdicts of all variants of a run, judged side by side: pure, and failing closed.

A variant passes when every clause of the policy is proved, and the p-value of that claim is the largest of its
clauses'. Of all that pass only one is promoted, chosen after the fact, so the claims of the variants that were
measured are tested together by Holm's procedure: the chance that any variant passes which violates the policy is
at most 1 - confidence, whatever they have in common.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from litegate.gate.bootstrap import Undefined, Value
from litegate.gate.clauses import Claim, State, claims, class_counts, samples_of_classes
from litegate.gate.contrasts import Comparison, Design
from litegate.gate.lost_classes import Predicted, lost_reasons, predicted, rare_classes
from litegate.gate.multiplicity import holm_levels
from litegate.gate.sentences import claim
from litegate.gate.slices import SLICE_CLAUSE, slice_claim, slice_losses
from litegate.outcomes.columns import Outcomes, Unpaired, match
from litegate.presentation.wording import samples_in, would_decide
from litegate.records import Clause, RareClass, Reason, SliceLoss, Verdict
from litegate.spec import Gate
from litegate.spec.metric_facts import MetricFacts

__all__ = ["IMPLAUSIBLE_GAIN", "Measured", "compare", "is_open", "judge", "states"]

IMPLAUSIBLE_GAIN = 0.05
"""A variant better than float by more than this share of the metric's range points to a broken baseline."""
RARE = 20
"""How many of the classes that are too rare to be judged a verdict names."""
_IMPLAUSIBLE_SHARE = 0.5
"""The same for metrics without a range: an error that has halved."""


@dataclass(frozen=True)
class Measured:
    """One variant as the gate sees it.

    Attributes:
        digest: SHA-256 of the artifact that `outcomes` were measured on.
        outcomes: None where it was not measured.
        references: outcomes by role: `baseline`, and `champion` where there is one that the policy asks for.
        available: how many samples there are to be had.
        class_samples: how many of each class; empty if all were seen, or where there are no classes.
        slice_samples: how many of each value, by field of slices; empty where the spec names none.
        refusals: facts that rule the variant out whatever it scored.
        host: outcomes of the same artifact, run by the host beside the target; None where they are of one kind.
        host_references: the same of `references`, by role.
    """

    variant: str
    digest: str | None
    outcomes: Outcomes | None
    references: Mapping[str, Outcomes]
    design: Design = field(default_factory=Design)
    available: int = 0
    class_samples: Mapping[int, int] = field(default_factory=dict)
    refusals: tuple[Reason, ...] = ()
    slice_samples: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    host: Outcomes | None = None
    host_references: Mapping[str, Outcomes] = field(default_factory=dict)


@dataclass(frozen=True)
class _Case:
    """A variant on its way to a verdict: what it is compared with and what is claimed, or why it fails already."""

    measured: Measured
    comparison: Comparison | None = None
    claims: tuple[Claim, ...] = ()
    reasons: tuple[Reason, ...] = ()

    @property
    def p_value(self) -> float:
        """Of the claim that it keeps the whole policy."""
        return max(claim.p_within for claim in self.claims)

    def predicted(self, policy: Gate) -> Predicted | None:
        """How often float32 and the variant predict each class; None where there is nothing to compare."""
        if self.comparison is None:
            return None
        return predicted(self.comparison, policy.confidence, self.measured.class_samples)


def judge(
    policy: Gate,
    metric: MetricFacts,
    measured: Sequence[Measured],
    value: Value | None = None,
    seed: int = 17,
    names: tuple[str, ...] = (),
    untried: int = 0,
) -> tuple[Verdict, ...]:
    """A verdict for every variant, in the order given.

    Args:
        value: the metric of (output, target), for metrics of a whole set.
        seed: of the bootstrap.
        names: of the classes, where they have names.
        untried: variants that are only measured if none of these passes. They are tested with them, as if nothing
            spoke for them, so that it makes no difference to the chance of an error when they were measured.
    """
    cases = [_case(policy, metric, each, value, seed, names) for each in measured]
    levels = _levels(cases, 1 - policy.confidence, untried)
    return tuple(_verdict(case, policy, level, names) for case, level in zip(cases, levels, strict=True))


def states(
    policy: Gate, metric: MetricFacts, measured: Sequence[Measured], value: Value | None = None, seed: int = 17
) -> tuple[State, ...]:
    """The states of the same verdicts, without what explains them: bounds, and how many samples would decide."""
    cases = [_case(policy, metric, each, value, seed, ()) for each in measured]
    levels = _levels(cases, 1 - policy.confidence)
    return tuple(_state_at(case, policy, level) for case, level in zip(cases, levels, strict=True))


def _levels(cases: Sequence[_Case], alpha: float, untried: int = 0) -> list[float]:
    """At which level each is tested, of those that are tested together and those that may yet be."""
    tested = [case for case in cases if case.claims and not case.reasons]
    levels = holm_levels([*(case.p_value for case in tested), *[1.0] * untried], alpha)[: len(tested)]
    by_variant = {case.measured.variant: level for case, level in zip(tested, levels, strict=True)}
    return [by_variant.get(case.measured.variant, alpha) for case in cases]


def _state_at(case: _Case, policy: Gate, alpha: float) -> State:
    if case.comparison is None:
        return "failed"
    refused = bool(_refusals(case, case.comparison, alpha, case.predicted(policy), ()))
    return _state(refused, [claim.state(alpha) for claim in case.claims])


def _refusals(
    case: _Case, comparison: Comparison, alpha: float, classes: Predicted | None, names: tuple[str, ...]
) -> tuple[Reason, ...]:
    """What rules a variant out whatever its clauses say."""
    return (*case.reasons, *_implausible_gain(comparison, alpha), *lost_reasons(classes, names))


def is_open(policy: Gate, metric: MetricFacts, measured: Measured) -> bool:
    """Whether the verdict on a variant, judged by itself, is inconclusive; far cheaper than the verdict.

    So is one that passes while a class that could be judged has hardly been seen yet.
    """
    case = _case(policy, metric, measured, None, 0, ())
    if case.comparison is None or case.reasons:
        return False
    alpha = 1 - policy.confidence
    classes, labels = case.predicted(policy), case.comparison.first.label
    refused = bool(_implausible_gain(case.comparison, alpha) or lost_reasons(classes, ()))
    state = _state(refused, [claim.state(alpha) for claim in case.claims])
    if state != "passed" or classes is None:
        return state == "inconclusive"
    return bool(classes.open(samples_of_classes(labels, measured.class_samples), class_counts(labels)))


def compare(
    metric: MetricFacts,
    reference: Outcomes,
    candidate: Outcomes,
    design: Design,
    value: Value | None = None,
    seed: int = 17,
    host: tuple[Outcomes, Outcomes] | None = None,
) -> Comparison:
    """The two on the samples that the candidate saw.

    Args:
        host: outcomes of the reference and of the candidate by the host.

    Raises:
        Unpaired: they were not measured on the same samples, or the host did not run all of them.
    """
    first, second = match(reference, candidate)
    beside = None if host is None else _beside(second, Comparison(metric, *match(*host), Design(), value, seed))
    return Comparison(metric, first, second, design, value, seed, beside)


def _beside(target: Outcomes, host: Comparison) -> Comparison | None:
    """What the host has on the same samples and on more; None where there are no more.

    Raises:
        Unpaired: it has not all of them.
    """
    try:
        match(host.second, target)
    except Unpaired as error:
        raise Unpaired(f"the host's outcomes are not those of the target's samples: {error}") from None
    return host if len(host.first) > len(target) else None


def _case(
    policy: Gate, metric: MetricFacts, measured: Measured, value: Value | None, seed: int, names: tuple[str, ...]
) -> _Case:
    try:
        problem = _unmeasured(measured)
        if problem:
            return _Case(measured, reasons=measured.refusals or (problem,))
        assert measured.outcomes is not None
        rolled = {
            role: _compared(role, metric, outcomes, measured, value, seed)
            for role, outcomes in measured.references.items()
        }
        comparison = rolled["baseline"]
        found = claims(policy, comparison, rolled.get("champion"), names, measured.class_samples)
        by_slice = slice_claim(policy, comparison, measured.slice_samples)
        found += [by_slice] if by_slice else []
        return _Case(measured, comparison, tuple(found), measured.refusals)
    except Unpaired as error:
        problem = Reason(code="unpaired", message=str(error))
    except Undefined as error:
        problem = Reason(code="no_value", message=str(error))
    except ZeroDivisionError:
        message = "a relative drop from a baseline of 0 has no meaning: set `drop: absolute`"
        problem = Reason(code="zero_baseline", message=message)
    return _Case(measured, reasons=(*measured.refusals, problem))


def _compared(
    role: str, metric: MetricFacts, reference: Outcomes, measured: Measured, value: Value | None, seed: int
) -> Comparison:
    assert measured.outcomes is not None
    beside = measured.host_references.get(role)
    host = None if measured.host is None or beside is None else (beside, measured.host)
    try:
        return compare(metric, reference, measured.outcomes, measured.design, value, seed, host)
    except Unpaired as error:
        raise Unpaired(f"its outcomes make no pairs with those of the {role}: {error}") from None


def _unmeasured(measured: Measured) -> Reason | None:
    """Why there is nothing to compare, or None."""
    baseline = measured.references.get("baseline")
    if measured.outcomes is None or baseline is None:
        missing = "the float32 baseline" if baseline is None else "this variant"
        return Reason(code="not_measured", message=f"there are no outcomes of {missing}")
    if not len(measured.outcomes) or not len(baseline):
        return Reason(code="no_samples", message="no sample was evaluated")
    beside = () if measured.host is None else (measured.host, *measured.host_references.values())
    for outcomes in (measured.outcomes, *measured.references.values(), *beside):
        columns = (outcomes.score, outcomes.output, outcomes.target)
        if not all(column is None or np.isfinite(column).all() for column in columns):
            return Reason(code="not_finite", message="an outcome is NaN or infinite")
    return None


def _verdict(case: _Case, policy: Gate, alpha: float, names: tuple[str, ...]) -> Verdict:
    """The verdict on a case whose claim was tested at level `alpha`."""
    measured, comparison = case.measured, case.comparison
    if comparison is None:
        return Verdict(variant=measured.variant, state="failed", reasons=case.reasons, digest=measured.digest)
    samples = len(comparison.first)
    clusters = None if comparison.clusters is None else len(comparison.clusters)
    clauses = tuple(claim.tested(alpha, clusters or samples) for claim in case.claims)
    classes = case.predicted(policy)
    refusals = _refusals(case, comparison, alpha, classes, names)
    rare = rare_classes(policy, classes, comparison.first, measured.class_samples, names)
    slices = _slices(case, comparison, alpha)
    rare = (*(each for each in rare if each.name not in _failed_classes(clauses)), *_rare_slices(slices))
    states = [clause.state for clause in clauses]
    drop = comparison.drop()
    low, high = drop.bounds(1 - alpha)
    worse, better = _changes(comparison)
    return Verdict(
        variant=measured.variant,
        state=_state(bool(refusals), states),
        reasons=(*refusals, *(_reason(clause, comparison.metric, policy, clusters) for clause in clauses)),
        value=comparison.values[1],
        baseline=comparison.values[0],
        drop=drop.estimate,
        drop_low=low if np.isfinite(low) else None,
        drop_high=high if np.isfinite(high) else None,
        confidence=1 - alpha,
        p_value=case.p_value,
        samples=samples,
        host_samples=None if comparison.host is None else len(comparison.host.first),
        clusters=clusters,
        available=max(measured.available, samples),
        needed=_needed(clauses),
        lost=worse,
        gained=better,
        clauses=clauses,
        slices=slices,
        slice_count=len(slices),
        rare=rare[:RARE],
        rare_classes=len(rare),
        digest=measured.digest,
    )


def _slices(case: _Case, comparison: Comparison, alpha: float) -> tuple[SliceLoss, ...]:
    found = [each for each in case.claims if each.name == SLICE_CLAUSE]
    return slice_losses(found[0], comparison, case.measured.slice_samples, alpha) if found else ()


def _rare_slices(slices: Sequence[SliceLoss]) -> list[RareClass]:
    """Those that nothing is asked of, the rarest first."""
    found = [RareClass(name=each.name, samples=each.samples, predicted=None) for each in slices if each.state == "rare"]
    return sorted(found, key=lambda each: (each.samples, each.name))


def _failed_classes(clauses: Sequence[Clause]) -> set[str]:
    return {clause.subject for clause in clauses if clause.name == "max_class_drop" and clause.state == "failed"}


def _state(refused: bool, states: Sequence[State]) -> State:
    if refused or "failed" in states:
        return "failed"
    return "inconclusive" if "inconclusive" in states else "passed"


def _needed(clauses: Sequence[Clause]) -> int | None:
    """The number that decides all clauses that are open; None if one of them stays open whatever the number."""
    open_ = [clause.needed for clause in clauses if clause.state == "inconclusive"]
    return max((number for number in open_ if number is not None), default=None) if None not in open_ else None


def _implausible_gain(comparison: Comparison, alpha: float) -> tuple[Reason, ...]:
    width = comparison.metric.width
    gain = IMPLAUSIBLE_GAIN * width if width is not None else _IMPLAUSIBLE_SHARE * abs(comparison.values[0])
    if not gain or comparison.drop().p_within(-gain) > alpha:
        return ()
    message = f"better than float by more than {gain:.4g} of {comparison.metric.name}: the baseline is suspect"
    return (Reason(code="implausible_gain", message=message),)


def _changes(comparison: Comparison) -> tuple[int, int]:
    """On how many samples the variant is worse, and on how many better."""
    first, second = comparison.first, comparison.second
    if comparison.metric.per_sample and first.score is not None and second.score is not None:
        loss = first.score.astype(float) - second.score.astype(float)
        loss = loss if comparison.metric.higher_is_better else -loss
    elif first.prediction is not None and second.prediction is not None:
        loss = (first.prediction == first.label).astype(float) - (second.prediction == second.label)
    else:
        return 0, 0
    return int(np.sum(loss > 0)), int(np.sum(loss < 0))


def _reason(clause: Clause, metric: MetricFacts, policy: Gate, clusters: int | None) -> Reason:
    codes = {"passed": "within", "failed": "above", "inconclusive": "undecided"}
    message = claim(clause, metric, policy)
    if clause.samples:
        message = f"{message}, on {samples_in(clause.samples, clause.clusters, clause.host_samples)}"
    if clause.state == "inconclusive" and clause.samples:
        message = f"{message}; {would_decide(clause.needed, clusters)}"
    return Reason(code=f"{codes[clause.state]}_{clause.name}", message=message)
