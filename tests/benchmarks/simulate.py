"""One simulated run through the real gate, and the counts of many; beside it the rule that looks at the estimate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from litegate.evaluation.blocks import cumulative_counts
from litegate.evaluation.order import ends_of_groups
from litegate.gate.contrasts import Design
from litegate.gate.stopping import decided
from litegate.gate.verdicts import Measured, judge, states
from litegate.outcomes.columns import Outcomes
from litegate.records import Stopping, Verdict
from litegate.spec import Gate
from litegate.spec.metric_facts import MetricFacts
from tests.benchmarks.scenes import Scene, Variant

__all__ = ["FIRST_ANALYSIS", "Case", "Counts", "judged", "measured", "seen", "simulate"]

Array = np.ndarray[Any, np.dtype[Any]]
Value = Callable[[Array, Array], float]

FIRST_ANALYSIS = 500


@dataclass(frozen=True)
class Case:
    """A metric and a policy.

    Attributes:
        metric, policy: what the table calls them.
        limit: what is allowed, in words.
        samples: how many there are; a design that may stop can use fewer.
        draws: how many runs are simulated with bad variants, and how many with perfect ones.
        value: for metrics of a whole set.
        claimed: whether the gate claims its error rate here; else the row shows what no gate can know.
        clustered: whether samples are not independent of each other; `samples` then counts all of them.
        searched: whether the file is the best of many that were tried.
        two_phase: whether a host ran more samples than the target; `samples` then counts those of the target.
    """

    metric: str
    policy: str
    limit: str
    facts: MetricFacts
    gate: Gate
    scene: Scene
    samples: int
    draws: tuple[int, int]
    design: Literal["fixed", "interim", "sequential"] = "fixed"
    value: Value | None = None
    claimed: bool = True
    clustered: bool = False
    two_phase: bool = False
    searched: bool = False


@dataclass(frozen=True)
class Counts:
    """`passed` and `naive_passed` count the runs in which a bad variant passed, or the perfect variants that did."""

    trials: int = 0
    passed: int = 0
    naive_passed: int = 0
    seen: int = 0
    judged: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))


def simulate(case: Case, perfect: bool, seed: list[int], draws: int) -> Counts:
    """The counts of `draws` runs."""
    rng, total = np.random.default_rng(seed), Counts()
    for _ in range(draws):
        variants = case.scene(rng, case.samples, perfect)
        heads = [seen(case, variant, len(variants)) for variant in variants]
        asked, seed_of_gate = measured(case, heads, class_samples(variants[0])), int(rng.integers(2**31))
        passed = [state == "passed" for state in states(case.gate, case.facts, asked, case.value, seed_of_gate)]
        naive = [naive_rule(case, variant) for variant in variants]
        used = sum(len(head.candidate) for head in heads)
        total += _counts(variants, passed, naive, perfect, used)
    return total


def _counts(variants: list[Variant], passed: list[bool], naive: list[bool], perfect: bool, used: int) -> Counts:
    if perfect:
        return Counts(len(variants), sum(passed), sum(naive), used, len(variants))
    bad = [variant.bad for variant in variants]
    any_passed, any_naive = (any(np.logical_and(bad, answer)) for answer in (passed, naive))
    return Counts(1, any_passed, any_naive, used, len(variants))


def judged(case: Case, heads: list[Variant], classes: dict[int, int], seed: int) -> tuple[Verdict, ...]:
    """What the gate says of the variants, of each on the samples that it was seen on."""
    return judge(case.gate, case.facts, measured(case, heads, classes), case.value, seed)


def measured(case: Case, heads: list[Variant], classes: dict[int, int]) -> list[Measured]:
    """What the gate is given of them."""
    first, largest = heads[0].whole or heads[0], heads[0].largest_group
    planned = len(_ends(case, first)) if case.design == "interim" else 1
    return [
        Measured(
            variant=f"variant {number}",
            digest=None,
            outcomes=head.candidate,
            references=head.references,
            design=Design(case.design, planned, largest),
            available=case.samples,
            class_samples=classes,
            slice_samples=head.slice_samples,
            host=head.host,
            host_references=head.host_references,
        )
        for number, head in enumerate(heads)
    ]


def class_samples(variant: Variant) -> dict[int, int]:
    """How many samples of each class there are, seen or not; empty where there are no classes."""
    label = variant.candidate.label
    return {} if label is None else dict(enumerate(np.bincount(label).tolist()))


def seen(case: Case, variant: Variant, variants: int) -> Variant:
    """The variant as far as the evaluation gets before it is decided, as the evaluate step does it."""
    if case.design == "fixed":
        return variant
    stopping, ends, known = (
        _stopping(case, variants),
        _ends(case, variant),
        (variant.class_samples, variant.largest_group, variant.slice_samples),
    )
    for end in ends[:-1]:
        head = variant.first(end)
        beside = (head.host, head.host_references)
        if decided(stopping, case.facts, head.candidate, head.references, len(ends), *known, *beside):
            return head
    return variant


def _stopping(case: Case, variants: int) -> Stopping:
    first = FIRST_ANALYSIS if case.design == "interim" else None
    return Stopping(policy=case.gate, variants=variants, first_samples=first)


def _ends(case: Case, variant: Variant) -> list[int]:
    """After how many samples a verdict is sought."""
    groups = variant.candidate.group
    available = case.samples if groups is None else len(groups)
    return cumulative_counts(_stopping(case, 1), available, ends_of_groups(groups))


def naive_rule(case: Case, variant: Variant) -> bool:
    """Whether every estimate is at most its limit, on all samples there are; exactly the limit is still within."""
    return all(loss <= limit + 1e-9 for loss, limit in _estimates(case, variant))


def _estimates(case: Case, variant: Variant) -> Iterator[tuple[float, float]]:
    gate, before, after = case.gate, variant.references["baseline"], variant.candidate
    limit = gate.max_drop * (_value(case, before) if gate.drop == "relative" else 1)
    yield _loss(case, before, after), limit
    if gate.max_drop_from_champion is not None:
        yield _loss(case, variant.references["champion"], after), gate.max_drop_from_champion
    if gate.min_value is not None:
        yield _sign(case) * (gate.min_value - _value(case, before)), 0.0
    if gate.max_class_drop is not None:
        yield _worst_class(case, before, after), gate.max_class_drop
    if gate.max_slice_drop is not None:
        yield _worst_slice(case, before, after), gate.max_slice_drop
    if gate.max_prediction_shift is not None and after.prediction is not None:
        yield _largest_shift(before, after), gate.max_prediction_shift


def _sign(case: Case) -> int:
    return 1 if case.facts.higher_is_better else -1


def _value(case: Case, outcomes: Outcomes) -> float:
    if case.value is None:
        return float(np.mean(outcomes.score))
    return case.value(outcomes.output, outcomes.target)


def _loss(case: Case, before: Outcomes, after: Outcomes) -> float:
    return _sign(case) * (_value(case, before) - _value(case, after))


def _worst_class(case: Case, before: Outcomes, after: Outcomes) -> float:
    lost = before.score.astype(int) - after.score
    counts, sums = np.bincount(before.label), np.bincount(before.label, lost)
    return float((sums / np.maximum(counts, 1))[counts >= case.gate.min_class_samples].max(initial=0.0))


def _worst_slice(case: Case, before: Outcomes, after: Outcomes) -> float:
    lost = before.score.astype(int) - after.score
    columns = [before.slices[:, place] for place in range(before.slices.shape[1])]
    return max(
        float(np.mean(lost[column == value]))
        for column in columns
        for value in np.unique(column)
        if np.sum(column == value) >= case.gate.min_class_samples
    )


def _largest_shift(before: Outcomes, after: Outcomes) -> float:
    counts = (np.bincount(outcomes.prediction, minlength=1000) for outcomes in (after, before))
    return float(np.abs(np.subtract(*counts)).max() / len(before))
