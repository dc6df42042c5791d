"""The gate on samples that are not independent: clusters are what counts, in every test that there is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from litegate.gate.betting import Betting
from litegate.gate.clustered import ClusteredMean, ClusteredProportions
from litegate.gate.contrasts import Design, mean_evidence
from litegate.gate.evidence import PairedProportions, needed
from litegate.gate.explain import class_losses, sentence
from litegate.gate.verdicts import Measured, compare, judge
from litegate.outcomes.clusters import Clusters
from litegate.outcomes.columns import Outcomes
from litegate.records import Verdict
from litegate.spec import Gate
from litegate.spec.metric_facts import MetricFacts, built_in_facts

TOP1, MAE, IOU, AUC = (built_in_facts(name) for name in ("top1", "mae", "iou", "roc_auc"))
ONE_POINT = Gate(max_drop=0.01)
FIXED = Design()
LOOSE = {"max_drop": 0.5, "max_prediction_shift": None}


def names(numbers: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(numbers, np.int64).view("S8")


def clusters(number: np.ndarray) -> Clusters:
    return Clusters(number, number)


def binary(samples: int, lost: int = 0, gained: int = 0) -> tuple[Outcomes, Outcomes]:
    scores = np.ones((2, samples), bool)
    scores[1, :lost] = False
    scores[0, lost : lost + gained] = False
    rows, label = np.arange(samples), np.arange(samples) % 10
    return tuple(
        Outcomes(rows, rows.astype("S"), each, label=label, prediction=np.where(each, label, (label + 1) % 10))
        for each in scores
    )


def real(samples: int, lower: float = 0.0) -> tuple[Outcomes, Outcomes]:
    rng, rows = np.random.default_rng(4), np.arange(samples)
    before = rng.beta(8, 3, samples)
    after = np.clip(before + rng.normal(scale=0.002, size=samples) - lower, 0, 1)
    return tuple(Outcomes(rows, rows.astype("S"), each) for each in (before, after))


def scored(samples: int) -> tuple[Outcomes, Outcomes]:
    rng, rows = np.random.default_rng(5), np.arange(samples)
    target = rng.integers(0, 2, samples)
    output = target * 1.5 + rng.normal(size=samples)
    outputs = (output, output + rng.normal(scale=0.01, size=samples))
    return tuple(Outcomes(rows, rows.astype("S"), output=each, target=target) for each in outputs)


def share_right(output: np.ndarray, target: np.ndarray) -> float:
    """Fast, and computed from the whole set."""
    return float(np.mean((output > 0.75) == target))


def repeated(pair: tuple[Outcomes, Outcomes], times: int, known: str = "fed") -> tuple[Outcomes, Outcomes]:
    """Every sample so many times, in random order or as groups."""
    number = np.repeat(np.arange(len(pair[0])), times)
    if known == "fed":
        number = np.random.default_rng(6).permutation(number)
    rows = np.arange(len(number))
    marks = {"index": rows, "id": rows.astype("S"), known: names(number)}
    return tuple(replace(each.take(number), **marks) for each in pair)


def verdict(
    policy: Gate, pair: tuple[Outcomes, Outcomes], metric: MetricFacts = TOP1, design: Design = FIXED, **keys: Any
) -> Verdict:
    references = {"baseline": pair[0], "champion": keys.pop("champion", pair[0])}
    return judge(policy, metric, [Measured("int8", "d" * 64, pair[1], references, design)], **keys)[0]


def test_one_sample_ten_thousand_times_is_one_sample() -> None:
    found = verdict(ONE_POINT, repeated(binary(1), 10_000))
    assert (found.state, found.samples, found.clusters) == ("inconclusive", 10_000, 1)


KINDS = {
    "right and wrong": (ONE_POINT, binary(500, 2, 2), TOP1, {}),
    "scores": (ONE_POINT, real(500), IOU, {}),
    "errors": (ONE_POINT, real(500), MAE, {}),
    "a whole set": (ONE_POINT, scored(500), AUC, {"value": share_right}),
    "relative": (Gate(max_drop=0.01, drop="relative"), binary(500, 1, 1), TOP1, {}),
    "a class": (Gate(**LOOSE, max_class_drop=0.07), binary(500), TOP1, {}),
    "predictions": (Gate(max_drop=0.5, max_prediction_shift=0.02), binary(500, 3, 3), TOP1, {}),
    "champion": (Gate(**LOOSE, max_drop_from_champion=0.01), binary(500, 1, 1), TOP1, {}),
    "min_value": (Gate(**LOOSE, min_value=0.985), binary(500, 1, 1), TOP1, {}),
}
EARLY = {"interim": Design("interim", 3), "sequential": Design("sequential")}


@pytest.mark.parametrize("known", ["fed", "group"])
@pytest.mark.parametrize("kind", KINDS)
def test_copies_of_what_is_undecided_decide_nothing(kind: str, known: str) -> None:
    policy, pair, metric, keys = KINDS[kind]
    fewer = tuple(each.take(np.arange(len(each)) % 3 == 0) for each in pair)
    few = tuple(replace(each, index=np.arange(len(each))) for each in fewer)
    assert verdict(policy, few, metric, **keys).state == "inconclusive"
    unmarked = tuple(replace(each, fed=None, group=None) for each in repeated(few, 30, known))
    assert verdict(policy, unmarked, metric, **keys).state == "passed", "thirty times as many, were they independent"
    found = verdict(policy, repeated(few, 30, known), metric, **keys)
    assert (found.state, found.samples, found.clusters) == ("inconclusive", 30 * len(few[0]), len(few[0]))


@pytest.mark.parametrize("known", ["fed", "group"])
@pytest.mark.parametrize("kind", KINDS)
def test_copies_of_what_is_proved_take_nothing_away(kind: str, known: str) -> None:
    policy, pair, metric, keys = KINDS[kind]
    many = tuple(each.take(np.arange(8 * len(each)) % len(each)) for each in pair)
    many = tuple(replace(each, index=np.arange(len(each)), id=np.arange(len(each)).astype("S")) for each in many)
    assert verdict(policy, many, metric, **keys).state == "passed"
    assert verdict(policy, repeated(many, 2, known), metric, **keys).state == "passed"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("design", ["fixed", "interim"])
def test_where_every_cluster_is_one_sample_nothing_changes(kind: str, design: str) -> None:
    policy, pair, metric, keys = KINDS[kind]
    rows = np.arange(len(pair[0]))
    marked = tuple(replace(each, fed=names(rows), group=names(rows)) for each in pair)
    how = Design("interim", 3) if design == "interim" else Design()
    assert verdict(policy, marked, metric, how, **keys) == verdict(policy, pair, metric, how, **keys)


def test_where_every_cluster_is_one_sample_the_bets_are_the_same() -> None:
    pair, rows = binary(2000, 10, 10), np.arange(2000)
    marked = tuple(replace(each, fed=names(rows), group=names(rows)) for each in pair)
    how = Design("sequential")
    assert verdict(ONE_POINT, marked, design=how) == verdict(ONE_POINT, pair, design=how)


@pytest.mark.parametrize("design", EARLY.values(), ids=EARLY)
def test_copies_decide_nothing_however_it_may_end(design: Design) -> None:
    few = repeated(binary(300, 1, 1), 30)
    unmarked = tuple(replace(each, fed=None) for each in few)
    assert verdict(Gate(max_drop=0.02), unmarked, design=design).state == "passed"
    assert verdict(Gate(max_drop=0.02), few, design=design).state == "inconclusive"
    assert verdict(Gate(max_drop=0.02), repeated(binary(4000, 14, 14), 2), design=design).state == "passed"


def test_an_undecided_verdict_says_how_many_clusters_would_decide_it() -> None:
    few = repeated(binary(200), 10, "group")
    found = verdict(ONE_POINT, few)
    assert (found.state, found.needed) == ("inconclusive", 363), "of independent samples 361 would do"
    (reason,) = [reason.message for reason in found.reasons if reason.code == "undecided_max_drop"]
    assert "on 2,000 samples in 200 clusters; about 363 clusters would decide it" in reason
    assert sentence(found, TOP1, ONE_POINT).endswith("about 363 clusters would decide it, 200 were there")
    assert verdict(ONE_POINT, repeated(binary(363), 10, "group")).state == "passed"


def test_a_few_clusters_prove_nothing_and_say_how_many_would() -> None:
    found = verdict(Gate(max_drop=0.2), repeated(binary(29), 100, "group"))
    assert (found.state, found.needed) == ("inconclusive", 31)
    assert verdict(Gate(max_drop=0.2), repeated(binary(30), 100, "group")).state == "passed"


def test_half_of_all_samples_in_one_cluster_prove_nothing() -> None:
    pair, number = binary(10_000), np.arange(10_000)
    number[:5000] = 0
    marked = tuple(replace(each, group=names(number)) for each in pair)
    assert verdict(Gate(max_drop=0.3), marked).state == "inconclusive"


def test_what_is_lost_in_few_clusters_is_proved_too() -> None:
    pair, number = binary(245, 49), np.arange(245) // 7
    marked = tuple(replace(each, group=names(number)) for each in pair)
    assert verdict(ONE_POINT, marked).state == "failed", "seven clusters of 35"
    of_few = tuple(each.take(np.arange(49)) for each in marked)
    assert verdict(ONE_POINT, of_few).state == "failed", "all of seven clusters"


def test_groups_with_a_sample_in_common_are_one_cluster() -> None:
    pair, number = binary(400), np.arange(400)
    fed = np.where(number % 2 == 1, number + 1, number) % 400
    marked = tuple(replace(each, fed=names(fed), group=names(number // 2)) for each in pair)
    assert verdict(ONE_POINT, marked).clusters == 1


def test_a_class_counts_its_own_clusters() -> None:
    pair, number = binary(2000), np.arange(2000)
    number[number % 10 == 3] = number[number % 10 == 3] // 100 * 100 + 3
    policy = Gate(**LOOSE, max_class_drop=0.15)
    marked = tuple(replace(each, group=names(number)) for each in pair)
    assert verdict(policy, pair).state == "passed"
    found = verdict(policy, marked, names=tuple("abcdefghij"))
    clause = found.clauses[-1]
    assert (clause.state, clause.subject, clause.samples, clause.clusters) == ("inconclusive", "d", 200, 20)
    losses = class_losses(compare(TOP1, *marked, Design()), tuple("abcdefghij"), 0.95)
    widths = {loss.name: loss.high - loss.low for loss in losses if loss.high is not None and loss.low is not None}
    assert widths["d"] > 2 * widths["a"]


# The evidence by itself.


def test_equal_copies_are_exactly_as_much_as_one_of_each() -> None:
    values = np.repeat([1, -1, 0], [30, 20, 950])
    number = np.repeat(np.arange(1000), 4)
    found = ClusteredProportions.of(values[number], clusters(number))
    once = PairedProportions(1000, 30, 20)
    assert found.estimate == once.estimate
    for limit in (0.012, 0.015, 0.02):
        assert found.p_within(limit) == pytest.approx(once.p_within(limit), rel=0.03)
    assert found.bounds(0.95) == pytest.approx(once.bounds(0.95), abs=3e-5)
    assert needed(found, 0.015, 0.01) == pytest.approx(4 * needed(once, 0.015, 0.01), rel=0.02)


def test_what_is_scattered_over_many_clusters_is_nearly_as_much_as_independent_samples() -> None:
    rng = np.random.default_rng(2)
    values = rng.choice([1, -1, 0], 40_000, p=[0.02, 0.02, 0.96])
    found = ClusteredProportions.of(values, clusters(np.arange(40_000) // 5))
    alone = PairedProportions(40_000, int(np.sum(values > 0)), int(np.sum(values < 0)))
    assert found.bounds(0.95)[1] - found.estimate == pytest.approx(alone.bounds(0.95)[1] - alone.estimate, rel=0.15)


def test_the_error_of_a_mean_is_that_of_the_ratio_of_sums_over_clusters() -> None:
    rng = np.random.default_rng(3)
    sizes = rng.integers(1, 20, 300)
    number = np.repeat(np.arange(300), sizes)
    values = rng.normal(size=300)[number] + rng.normal(size=len(number))
    found = ClusteredMean.of(values, -9.0, 9.0, 0.0, clusters(number))
    draws = rng.integers(0, 300, (4000, 300))
    sums = np.bincount(number, values)
    ratios = sums[draws].sum(axis=1) / sizes[draws].sum(axis=1)
    assert found.error == pytest.approx(ratios.std(), rel=0.05)
    independent = mean_evidence(values, -9.0, 9.0, Design(), 0.0)
    assert found.bounds(0.95)[1] - found.estimate > 2 * (independent.bounds(0.95)[1] - independent.estimate)


def test_what_was_not_seen_is_counted_in_clusters_the_largest_first() -> None:
    number = np.append(np.repeat(np.arange(400), 2), np.repeat(np.arange(400, 410), 20))
    found = ClusteredMean.of(np.zeros(1000), -1.0, 1.0, 0.0, clusters(number))
    assert found.bounds(0.95)[1] == pytest.approx(-np.log(0.05) * 20 / 1000)
    changed = ClusteredProportions.of(np.zeros(1000, int), clusters(number))
    assert changed.bounds(0.95)[1] > found.bounds(0.95)[1]


def test_a_metric_of_a_whole_set_is_drawn_by_clusters() -> None:
    once, often = (verdict(ONE_POINT, pair, AUC, value=share_right) for pair in (scored(500), repeated(scored(500), 8)))
    assert often.drop_high is not None
    assert once.drop_high is not None
    assert often.drop_high - often.drop == pytest.approx(once.drop_high - once.drop, rel=0.25)


def test_copies_that_are_found_late_are_no_new_bets() -> None:
    """A large cluster that nobody knew of beforehand: neither its copies nor what is left of its size may decide."""
    rng = np.random.default_rng(8)
    number = np.append(np.zeros(5000, int), np.arange(1, 301))
    number = rng.permutation(number)
    rows = np.arange(len(number))
    same = Outcomes(rows, rows.astype("S"), np.ones(len(rows), bool), fed=names(number))
    unmarked = replace(same, fed=None)
    sequential = Design("sequential")
    assert verdict(Gate(max_drop=0.1), (unmarked, unmarked), design=sequential).state == "passed"
    assert verdict(Gate(max_drop=0.1), (same, same), design=sequential).state == "inconclusive"


def test_bets_are_as_large_as_the_largest_group_to_come_allows() -> None:
    pair = repeated(binary(2000), 2, "group")
    assert verdict(ONE_POINT, pair, design=Design("sequential", largest_group=2)).state == "passed"
    assert verdict(ONE_POINT, pair, design=Design("sequential", largest_group=400)).state == "inconclusive"


@pytest.mark.parametrize("factor", [1.0, 0.37], ids=["whole sums", "others"])
def test_sums_of_one_kind_are_one_bet(factor: float) -> None:
    rng = np.random.default_rng(4)
    sizes = rng.integers(1, 9, 500)
    sums = factor * np.array([rng.integers(-size, size + 1) for size in sizes])
    found = Betting.of_sums(sums, sizes, -1.0, 1.0, 9)
    kinds, counts = np.unique(np.stack([sums, sizes]), axis=1, return_counts=True)
    assert np.array_equal(np.stack([found.values, found.sizes]), kinds)
    assert np.array_equal(found.weights, counts)


@pytest.mark.parametrize("values", [[3, 0, 3, 9], [-1, 5, -1, 2], [10**12, 4, 10**12, 4], [b"b", b"a\xff", b"b", b""]])
def test_groups_are_numbered_in_the_order_of_their_values(values: list[object]) -> None:
    column = np.array(values)
    clusters = Clusters.by(column, None)
    assert clusters is not None
    assert clusters.number.tolist() == np.unique(column, return_inverse=True)[1].tolist()
    alone = Clusters(clusters.number, np.arange(len(values)))  # copies, each visited by itself: the first one is new
    assert alone.first_visits.tolist() == sorted(np.unique(column, return_index=True)[1].tolist())
