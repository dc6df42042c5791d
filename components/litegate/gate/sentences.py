"""The verdict in one sentence, which people read first: it names the clause of the policy that decided."""

from __future__ import annotations

from litegate.presentation import wording
from litegate.records import Clause, Verdict
from litegate.spec import Gate
from litegate.spec.metric_facts import MetricFacts

__all__ = ["claim", "clause_unit", "sentence"]

_NAMED = 3
_ANSWERS = {"passed": "may ship", "failed": "may not ship", "inconclusive": "is undecided"}


def sentence(verdict: Verdict, metric: MetricFacts, policy: Gate) -> str:
    """One sentence, whatever the metric and whatever was decided."""
    name = verdict.variant
    if verdict.state == "baseline":
        value = wording.value(verdict.value, wording.is_percent(metric))
        return f"{name} is the baseline: {wording.short_name(metric.name)} {value}"
    clause = _decisive(verdict)
    if clause is None:
        return f"{name} {_ANSWERS[verdict.state]}: {_refusals(verdict)}"
    found = claim(clause, metric, policy)
    worst = _worst_class(verdict, clause, metric) if verdict.state == "failed" else ""
    return f"{name} {_ANSWERS[verdict.state]}: {found}{worst}{_ending(verdict, clause, policy)}"


def claim(clause: Clause, metric: MetricFacts, policy: Gate) -> str:
    """What a clause found and what is allowed: `it loses at most 0.42 points of top1 (1.00 allowed)`.

    Differences are in points where the metric's values are shares, in percent of the baseline's value where the
    policy is relative, and else in the metric's own unit.
    """
    if not clause.samples and clause.name == "max_slice_drop" and clause.subject:
        return f"{_unseen(clause.subject, policy)} for max_slice_drop"
    if not clause.samples:
        return f"no sample says anything about {clause.name}"
    unit = clause_unit(clause.name, metric, policy)
    digits = unit.apart(clause.limit, *(end for end in (clause.low, clause.high) if end is not None))
    found = _found(clause, unit, digits)
    if clause.name == "min_value":
        asked = wording.value(policy.min_value, wording.is_percent(metric))
        sides = ("below", "above") if metric.higher_is_better else ("above", "below")
        if clause.high is not None and clause.high < 0:
            found, sides = f"at least {unit.text(-clause.high, digits)}", sides[::-1]
        return f"float32 itself is {found} {sides[0]} the {asked} of {wording.short_name(metric.name)} asked for"
    return f"{_lost(clause, metric, policy, found)} ({unit.number(clause.limit, digits)} allowed)"


def _unseen(subject: str, policy: Gate) -> str:
    """A slice that was not seen, or a field of which no slice has samples enough."""
    if "=" in subject:
        return f"no sample of {subject} was evaluated"
    return f"no value of {subject} has the {policy.min_class_samples:,} samples (min_class_samples) that it needs"


def _decisive(verdict: Verdict) -> Clause | None:
    """The first clause whose state is the verdict's; none where something else than a clause decided."""
    return next((clause for clause in verdict.clauses if clause.state == verdict.state), None)


def _refusals(verdict: Verdict) -> str:
    """The reasons that are not those of clauses, whose codes end with the clause's name."""
    clauses = {clause.name for clause in verdict.clauses}
    refusals = [reason.message for reason in verdict.reasons if reason.code.partition("_")[2] not in clauses]
    return "; ".join(refusals) or "nothing is known about it"


def clause_unit(clause: str, metric: MetricFacts, policy: Gate) -> wording.Unit:
    """The unit that the numbers of a clause are read in."""
    if clause == "max_drop" and policy.drop == "relative":
        return wording.PERCENT
    shares = clause == "max_prediction_shift" or (clause == "max_class_drop" and not metric.per_sample)
    return wording.unit_of(shares or wording.is_percent(metric))


def _found(clause: Clause, unit: wording.Unit, digits: int) -> str:
    """The bounds that matter for the clause's state."""
    low = None if clause.low is None or clause.state == "passed" else clause.low
    high = None if clause.high is None or clause.state == "failed" else clause.high
    if low is not None and high is not None:
        return f"between {unit.number(low, digits)} and {unit.text(high, digits)}"
    if low is not None:
        return f"at least {unit.text(low, digits)}"
    return "an unknown amount" if high is None else f"at most {unit.text(high, digits)}"


def _lost(clause: Clause, metric: MetricFacts, policy: Gate, found: str) -> str:
    """The sentence's verb: higher is better and something is lost, or lower is better and it rises."""
    if clause.name == "max_prediction_shift":
        return f"the share of {clause.subject} in its predictions changes by {found}"
    what, better = wording.short_name(metric.name), metric.higher_is_better
    if clause.name == "max_slice_drop":
        what = f"{what} on {clause.subject}"
    if clause.name == "max_class_drop":
        # A metric of a whole set has no value for a class: there, right predictions are counted.
        what, better = (what, better) if metric.per_sample else ("correct predictions", True)
        what = f"{what} on {clause.subject}"
    against = "against the champion " if clause.name == "max_drop_from_champion" else ""
    if not better:
        return f"{against}its {what} rises by {found}"
    owner = "the baseline's " if clause_unit(clause.name, metric, policy) is wording.PERCENT else ""
    return f"{against}it loses {found} of {owner}{what}"


def _worst_class(verdict: Verdict, clause: Clause, metric: MetricFacts) -> str:
    """The class that lost most, unless the clause is about a single class already."""
    if clause.subject or not verdict.classes or verdict.classes[0].drop <= 0 or clause.name == "min_value":
        return ""
    worst = verdict.classes[0]
    unit = wording.unit_of(not metric.per_sample or wording.is_percent(metric))
    return f", most of all on {worst.name} ({unit.text(worst.drop)})"


def _ending(verdict: Verdict, clause: Clause, policy: Gate) -> str:
    """With which confidence and what it does not cover, or what would decide.

    The bounds of variants that are judged side by side are stricter than the policy asks, so that its confidence holds
    for all of them together; what a person is told is the policy's.
    """
    if verdict.state != "inconclusive":
        sure = "" if verdict.confidence is None else f", with {wording.confidence(policy.confidence)} confidence"
        rare = verdict.too_rare(_NAMED) if verdict.state == "passed" else ""
        return f"{sure}; {rare}" if rare else sure
    if not clause.samples:
        return ""
    there = verdict.samples if verdict.clusters is None else verdict.clusters
    return f"; {wording.would_decide(verdict.needed, verdict.clusters)}, {there:,} were there"
