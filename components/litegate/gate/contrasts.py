"""From the outcomes of two artifacts on the same samples to evidence of what the second loses."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from inspect import signature
from itertools import product
from typing import Any, Literal

import numpy as np

from litegate.gate.betting import betting
from litegate.gate.bootstrap import Replicates, Value, bootstrap
from litegate.gate.clustered import ClusteredMean, ClusteredProportions
from litegate.gate.composed import EitherWay, Relative, Repeated
from litegate.gate.evidence import Approximate, Evidence, PairedProportions
from litegate.gate.two_phase import Phases, TwoPhaseMean, TwoPhaseProportions, folds_of, regression
from litegate.outcomes.clusters import Clusters
from litegate.outcomes.columns import Outcomes
from litegate.spec import MIN_SAMPLES
from litegate.spec.metric_facts import MetricFacts

__all__ = ["Comparison", "Design", "mean_evidence"]

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Design:
    """How it was decided when to end the evaluation: with all samples, at interim analyses, or after any batch.

    Attributes:
        analyses: how many were planned.
        largest_group: samples in the largest group that there is, seen or not.
    """

    kind: Literal["fixed", "interim", "sequential"] = "fixed"
    analyses: int = 1
    largest_group: int = 1


@dataclass(frozen=True)
class Comparison:
    """Two artifacts on the same samples, in the same order; losses of the second are positive.

    Attributes:
        value: the metric of (output, target), for metrics of a whole set.
        seed: of the bootstrap.
        host: the same two artifacts, run by the host on more samples, among them all of these; None where that says
            nothing more.
    """

    metric: MetricFacts
    first: Outcomes
    second: Outcomes
    design: Design
    value: Value | None = None
    seed: int = 17
    host: Comparison | None = None

    @cached_property
    def clusters(self) -> Clusters | None:
        """Which samples are not independent of each other; None where all are."""
        fed = self.first.fed if self.second.fed is None else self.second.fed
        group = self.first.group if self.second.group is None else self.second.group
        return Clusters.of(replace(self.second, fed=fed, group=group))

    @cached_property
    def values(self) -> tuple[float, float]:
        """The metric of both."""
        if self.metric.per_sample:
            return float(np.mean(self._scores[0])), float(np.mean(self._scores[1]))
        return self._replicates.first, self._replicates.second

    def drop(self) -> Evidence:
        """What the second loses, in the metric's unit."""
        return self._lost(0.0)

    def relative_drop(self) -> Relative:
        """What the second loses, as a share of the first's value.

        Raises:
            ZeroDivisionError: the first's value is zero.
        """
        first, second = self.values
        return Relative(self._lost, self._sign * (first - second) / first)

    def shortfall(self, wanted: float) -> Evidence:
        """By how much the first itself is worse than `wanted`."""
        sign = self._sign
        if not self.metric.per_sample:
            return self._from_replicates(-sign, 0.0, sign * wanted)
        low, high = self._range(lambda score: sign * (wanted - score))
        return self._mean(lambda pair: sign * (wanted - pair._scores[0].astype(float)), low, high)

    def class_drop(self, label: int) -> Evidence:
        """What the second loses of one class, by the metric's own score or else by right predictions."""
        rows = self._rows_of(label)
        host_rows = None if self.host is None else self.host._rows_of(label)
        if self.metric.per_sample:
            return self._lost_of(rows, host_rows)
        return self._mean(lambda pair: _right(pair.first) - _right(pair.second), -1.0, 1.0, rows, host_rows)

    def slice_drop(self, rows: Array, host_rows: Array | None = None) -> Evidence:
        """What the second loses of the metric on some of the samples.

        Args:
            host_rows: where the host has the same samples, and more of their kind; None where it says nothing of them.

        Raises:
            Undefined: the metric has no value there.
        """
        return self._lost_of(rows, host_rows) if self.metric.per_sample else self.on(rows).drop()

    def on(self, rows: Array) -> Comparison:
        """The two on some of the samples, without the host."""
        return replace(self, first=self.first.take(rows), second=self.second.take(rows), host=None)

    def values_on(self, rows: Array) -> tuple[float, float]:
        """The metric of both on some of the samples.

        Raises:
            ValueError: the metric has no value there.
        """
        if self.metric.per_sample:
            first, second = self._scores
            return float(np.mean(first[rows])), float(np.mean(second[rows]))
        return self._value_on(self.first, rows), self._value_on(self.second, rows)

    def _value_on(self, outcomes: Outcomes, rows: Array) -> float:
        assert self.value is not None
        assert outcomes.output is not None
        assert outcomes.target is not None
        return float(self.value(outcomes.output[rows], outcomes.target[rows]))

    def shift(self, label: int) -> Evidence:
        """By how much the share of one class in the predictions changes, in either direction."""
        assert self.first.prediction is not None
        assert self.second.prediction is not None
        grown = partial(_grown, label=label)
        return EitherWay(self._mean(grown, -1.0, 1.0), self._mean(lambda pair: -grown(pair), -1.0, 1.0))

    def _lost(self, share: float) -> Evidence:
        """The loss beyond `share` of the first's value."""
        weight = 1 - self._sign * share
        if not self.metric.per_sample:
            return self._from_replicates(self._sign * weight, -self._sign, 0.0)
        low, high = self._range(lambda one, other: self._sign * (weight * one - other))
        return self._mean(lambda pair: pair._losses(share), low, high)

    def _losses(self, share: float) -> Array:
        """The loss of each sample beyond `share` of the first's score."""
        first, second = self._scores
        kept = first if share == 0 else (1 - self._sign * share) * first  # right and wrong stay integers
        lost: Array = self._sign * (kept - second)
        return lost

    def _lost_of(self, rows: Array, host_rows: Array | None) -> Evidence:
        """The loss of single samples, of some of them."""
        low, high = self._range(lambda one, other: self._sign * (one - other))
        return self._mean(lambda pair: pair._losses(0.0), low, high, rows, host_rows)

    def _rows_of(self, label: int) -> Array:
        assert self.first.label is not None
        return np.flatnonzero(self.first.label == label)

    def _mean(
        self,
        values: Callable[[Comparison], Array],
        low: float | None,
        high: float | None,
        rows: Array | None = None,
        host_rows: Array | None = None,
    ) -> Evidence:
        """Evidence of the mean of one value for each sample, or for each of the rows.

        Args:
            values: of each sample of a comparison: of this one, and of that of the host.
            rows, host_rows: None for all.
        """
        ours = values(self)
        phases = None if rows is not None and host_rows is None else self._phases(values, ours, rows, host_rows)
        if phases is not None:
            return two_phase_evidence(phases, low, high, self.design, self._allowance)
        ours, clusters = ours if rows is None else ours[rows], self.clusters
        clusters = clusters if rows is None or clusters is None else clusters.take(rows)
        return mean_evidence(ours, low, high, self.design, self._allowance, clusters)

    def _phases(
        self, values: Callable[[Comparison], Array], ours: Array, rows: Array | None, host_rows: Array | None
    ) -> Phases | None:
        """What the host adds; None where nothing."""
        if self.host is None or self.design.kind == "sequential":
            return None
        theirs, seen, folds = values(self.host), self._seen, folds_of(self._units[self._seen])
        slopes = regression(ours, theirs[seen], folds)
        if rows is not None:
            ours, folds, seen = ours[rows], folds[rows], seen[rows]
        rest = self._rest if host_rows is None else host_rows[self._is_rest[host_rows]]
        if not len(rest):
            return None
        numbers = None if self.host.clusters is None else (self._units[seen], self._units[rest])
        return Phases(ours, theirs[seen], folds, slopes, theirs[rest], numbers)

    @cached_property
    def _seen(self) -> Array:
        """The host's rows of our samples, in our order."""
        assert self.host is not None
        order = np.argsort(self.host.first.index)
        found: Array = order[np.searchsorted(self.host.first.index, self.first.index, sorter=order)]
        return found

    @cached_property
    def _is_rest(self) -> Array:
        """Of each of the host's samples whether the target did not run it."""
        assert self.host is not None
        found = np.ones(len(self.host.first), bool)
        found[self._seen] = False
        return found

    @cached_property
    def _rest(self) -> Array:
        """The host's rows of the samples that the target did not run."""
        return np.flatnonzero(self._is_rest)

    @cached_property
    def _units(self) -> Array:
        """Number of the cluster that each of the host's samples is in, or of itself."""
        assert self.host is not None
        return self.host.first.index if self.host.clusters is None else self.host.clusters.number

    def _range(self, loss: Callable[..., float]) -> tuple[float | None, float | None]:
        """The extremes of a linear function of scores, found at the ends of their range."""
        if self.metric.low is None or self.metric.high is None:
            return None, None
        count = len(signature(loss).parameters)
        ends = [loss(*corner) for corner in product((self.metric.low, self.metric.high), repeat=count)]
        return min(ends), max(ends)

    def _from_replicates(self, weight_first: float, weight_second: float, shift: float) -> Evidence:
        evidence = self._replicates.contrast(weight_first, weight_second, shift, self.metric.width)
        return _repeated(evidence, self.design)

    @property
    def _sign(self) -> int:
        return 1 if self.metric.higher_is_better else -1

    @cached_property
    def _scores(self) -> tuple[Array, Array]:
        assert self.first.score is not None
        assert self.second.score is not None
        return _numbers(self.first.score), _numbers(self.second.score)

    @cached_property
    def _allowance(self) -> float:
        """Stands in for the range of a metric that has none: the largest difference seen, or at least a usual score.

        Where there are clusters, both are summed over a cluster.
        """
        if not self.metric.per_sample or self.metric.width is not None:
            return 0.0
        lost, usual = self._scores[0] - self._scores[1], self._scores[0]
        if self.clusters is not None:
            lost, usual = self.clusters.sums(lost), self.clusters.sums(usual)
        return float(max(np.abs(lost).max(), np.abs(usual).mean()))

    @cached_property
    def _replicates(self) -> Replicates:
        assert self.value is not None
        jackknife = self.metric.width is None
        return bootstrap(self.value, self.first, self.second, self.seed, jackknife, self.clusters)


def mean_evidence(
    values: Array,
    low: float | None,
    high: float | None,
    design: Design,
    allowance: float,
    clusters: Clusters | None = None,
) -> Evidence:
    """Evidence of the mean of `values`, which lie in [low, high], by what the design allows.

    Args:
        low, high: None where they have no bound; such values cannot be looked at after any batch.
        allowance: how far a single value, or the sum of a cluster, may lie from the mean where there is no bound.
        clusters: of the values; None where all are independent.
    """
    if design.kind == "sequential":
        assert low is not None
        assert high is not None
        return betting(values, low, high, clusters, design.largest_group)
    if clusters is not None:
        return _repeated(_clustered(values, low, high, allowance, clusters), design)
    if np.issubdtype(values.dtype, np.integer):
        lost, gained = int(np.sum(values > 0)), int(np.sum(values < 0))
        return _repeated(PairedProportions(len(values), lost, gained), design)
    mean = float(np.mean(values))
    error = float(np.std(values, ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else math.inf
    below, above = (allowance, allowance) if low is None or high is None else (mean - low, high - mean)
    return _repeated(Approximate(len(values), mean, error, below, above, len(values) >= MIN_SAMPLES), design)


def two_phase_evidence(
    phases: Phases, low: float | None, high: float | None, design: Design, allowance: float
) -> Evidence:
    """The same as `mean_evidence`, with what the host says of more samples."""
    if np.issubdtype(phases.target.dtype, np.integer):
        return _repeated(TwoPhaseProportions.of(phases), design)
    return _repeated(TwoPhaseMean.of(phases, *phases.allowances(low, high, allowance), low is None), design)


def _clustered(values: Array, low: float | None, high: float | None, allowance: float, clusters: Clusters) -> Evidence:
    if np.issubdtype(values.dtype, np.integer):
        return ClusteredProportions.of(values, clusters)
    return ClusteredMean.of(values, low, high, allowance, clusters)


def _repeated(evidence: Evidence, design: Design) -> Evidence:
    return Repeated(evidence, design.analyses) if design.analyses > 1 else evidence


def _grown(pair: Comparison, label: int) -> Array:
    """Of each sample whether it is new among the predictions of a class, or gone from them."""
    assert pair.first.prediction is not None
    assert pair.second.prediction is not None
    grown: Array = (pair.second.prediction == label).astype(np.int8) - (pair.first.prediction == label)
    return grown


def _right(outcomes: Outcomes) -> Array:
    """Whether each prediction is right, as small integers."""
    assert outcomes.prediction is not None
    right: Array = outcomes.prediction == outcomes.label
    return right.astype(np.int8)


def _numbers(scores: Array) -> Array:
    """Right and wrong as small integers, which can be subtracted and stay what they are; all else as it is."""
    return scores.astype(np.int8) if scores.dtype == bool else scores.astype(float)
