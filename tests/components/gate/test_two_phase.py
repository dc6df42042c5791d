"""The target's few samples with the host's many: against closed forms, a brute-force search, and simulated runs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from litegate.gate.contrasts import Design
from litegate.gate.evidence import PairedProportions, needed
from litegate.gate.two_phase import FOLDS, Phases, TwoPhaseMean, TwoPhaseProportions, regression, restricted_variance
from litegate.gate.verdicts import Measured, compare, judge, states
from litegate.outcomes.columns import Outcomes
from litegate.records import Verdict
from litegate.spec import Gate
from litegate.spec.metric_facts import BUILT_IN
from tests.benchmarks.hosts import agrees_in_half, beside, keeps_all, same
from tests.benchmarks.populations import PER_SAMPLE
from tests.benchmarks.scenes import Variant, alone, class_drop

TOP1 = BUILT_IN["top1"]
ONE_POINT = Gate(max_drop=0.01)
POPULATIONS = {population.name: population for population in PER_SAMPLE}


def phases(target: np.ndarray, host: np.ndarray, rest: np.ndarray, **more: object) -> Phases:
    folds = np.arange(len(target)) % FOLDS
    return Phases(target, host, folds, regression(target, host, folds), rest, **more)


def drawn(seed: int = 0, samples: int = 500, rest: int = 4_500, agreement: float = 0.8) -> Phases:
    """Of a target that loses 3 % and gains 1 %, and of a host that agrees with it so often."""
    rng = np.random.default_rng(seed)
    target = rng.choice([1, -1, 0], samples + rest, p=[0.03, 0.01, 0.96]).astype(np.int8)
    host = np.where(rng.random(len(target)) < agreement, target, 0).astype(np.int8)
    return phases(target[:samples], host[:samples], host[samples:])


def run(name: str = "top1", host: object = agrees_in_half, samples: int = 1_000, loss: float = 0.01) -> Variant:
    scene = beside(alone(POPULATIONS[name], loss), host, times=5)
    return scene(np.random.default_rng(3), samples, False)[0]


def measured(variant: Variant, **changes: object) -> Measured:
    found = Measured(
        "int8",
        "d" * 64,
        variant.candidate,
        variant.references,
        host=variant.host,
        host_references=variant.host_references,
    )
    return replace(found, **changes)


def verdict(variant: Variant, policy: Gate = ONE_POINT, metric: str = "top1", **changes: object) -> Verdict:
    return judge(policy, POPULATIONS[metric].facts, [measured(variant, **changes)])[0]


def test_the_estimate_is_the_targets_corrected_by_what_the_host_says_of_the_rest() -> None:
    found = drawn()
    share = len(found.rest) / (len(found.host) + len(found.rest))
    weights = found.slopes[found.folds] * share
    expected = np.mean(found.target - weights * found.host) + np.mean(weights) * np.mean(found.rest)
    assert found.estimate == pytest.approx(float(expected))
    assert TwoPhaseProportions.of(found).estimate == pytest.approx(float(expected))


def test_a_slope_does_not_know_the_samples_that_it_weighs() -> None:
    found = drawn()
    other = found.target.copy()
    other[found.folds == 2] = 1
    changed = regression(other, found.host, found.folds)
    assert changed[2] == found.slopes[2]
    assert changed[0] != found.slopes[0]


@pytest.mark.parametrize("host", [-1, 0], ids=["opposite", "constant"])
def test_a_host_that_says_the_opposite_or_nothing_is_not_used(host: int) -> None:
    found = drawn()
    assert not regression(found.target, host * found.target, found.folds).any()


def test_the_estimate_has_no_bias_and_the_error_that_it_states() -> None:
    estimates = np.array([(found.estimate, found.error) for found in map(drawn, range(400))])
    spread = float(np.std(estimates[:, 0]))
    assert np.mean(estimates[:, 0]) == pytest.approx(0.02, abs=4 * spread / 20)
    assert np.mean(estimates[:, 1]) == pytest.approx(spread, rel=0.15)


def test_without_the_host_it_is_tangos_test() -> None:
    found = drawn()
    ours = TwoPhaseProportions.of(found.alone())
    lost, gained = int(np.sum(found.target > 0)), int(np.sum(found.target < 0))
    tango = PairedProportions(len(found.target), lost, gained)
    for limit in (-0.02, 0.0, 0.01, 0.02, 0.05, 0.3):
        assert ours.p_within(limit) == pytest.approx(tango.p_within(limit), rel=1e-6, abs=1e-12)
        assert ours.p_beyond(limit) == pytest.approx(tango.p_beyond(limit), rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("mean", [-0.9, -0.05, 0.02, 0.05, 0.2, 0.9, 1.3])
def test_the_restricted_variance_is_that_of_the_largest_likelihood(mean: float) -> None:
    """Of 0.6, which 5 % of all were, and of the extreme on the mean's side; on 0 is what is left."""
    end = 1.4 if mean > 0.6 * 0.05 else -1.4

    def shares(extreme: float) -> np.ndarray:
        large = (mean - end * extreme) / 0.6
        return np.array([1 - large - extreme, large, extreme])

    def loss(extreme: float) -> float:
        found = shares(extreme)
        return -95 * np.log(max(found[0], 1e-300)) - 5 * np.log(max(found[1], 1e-300)) if found.min() > 0 else np.inf

    least = max(0.0, mean / end) if end < 0 else max(0.0, (mean - 0.6) / 0.8)
    best = min(np.linspace(least, mean / end if end > 0 else (0.6 - mean) / 2, 1_001), key=loss)
    near = np.linspace(best - 1e-3, best + 1e-3, 4_001)
    best = shares(min(near[near >= 0], key=loss))
    expected = float(best @ (np.array([0.0, 0.6, end]) - mean) ** 2)
    found = restricted_variance(np.array([0.0, 0.6]), np.array([0.95, 0.05]), mean, 1.4)
    assert found == pytest.approx(expected, rel=1e-3)


def test_a_loss_where_the_host_loses_nothing_need_not_have_been_seen() -> None:
    """The target and the host agree on all of 300 samples, and 10,000 of the host say that nothing is lost."""
    changes = np.repeat(np.array([1, -1, 0], np.int8), [10, 10, 280])
    rest = np.repeat(np.array([1, -1, 0], np.int8), [320, 320, 9_060])
    found = TwoPhaseProportions.of(phases(*(np.random.default_rng(1).permutation(changes),) * 2, rest))
    assert abs(found.estimate) < 0.001
    assert found.bounds(0.95)[1] > -np.log(0.05) / 300  # of which none is seen in 5 % of all runs


def test_clusters_of_one_sample_change_little_and_whole_ones_much() -> None:
    found = drawn(samples=600, rest=5_400)
    singles = replace(found, numbers=(np.arange(600), 600 + np.arange(5_400)))
    tens = replace(found, numbers=(np.arange(600) // 10, 60 + np.arange(5_400) // 10))
    assert singles.error == pytest.approx(found.error, rel=0.02)
    one, other, many = (TwoPhaseProportions.of(each).bounds(0.95)[1] for each in (found, singles, tens))
    assert other == pytest.approx(one, rel=0.1)
    assert many > one * 1.2


def test_what_would_decide_needs_fewer_samples_than_without_the_host_and_never_more() -> None:
    found = drawn(1, agreement=0.9)
    ours, tango = TwoPhaseProportions.of(found), TwoPhaseProportions.of(found.alone())
    counts = [needed(replace(each, estimate=0.02), 0.025, 0.05) for each in (ours, tango)]
    assert None not in counts
    assert 500 < counts[0] < counts[1]
    more = ours.scaled(20.0)
    assert more.host_samples == more.samples == 10_000


def test_real_values_have_the_hosts_gain_and_scale_to_the_targets_own_error() -> None:
    rng = np.random.default_rng(2)
    target = rng.normal(0.01, 0.1, 2_000)
    host = target + rng.normal(0.0, 0.05, 2_000)
    found = phases(target[:200], host[:200], host[200:])
    evidence = TwoPhaseMean.of(found, 1.0, 1.0, False)
    assert evidence.mean.error < 0.7 * evidence.alone
    all_there = evidence.scaled(10.0)
    assert all_there.mean.error == pytest.approx(evidence.alone / np.sqrt(10))
    assert evidence.scaled(2.0).mean.error < evidence.mean.error


@pytest.mark.parametrize("name", ["top1", "iou", "mae"])
def test_the_verdict_says_how_many_samples_of_both_it_rests_on(name: str) -> None:
    found = verdict(run(name), metric=name)
    assert (found.samples, found.host_samples) == (1_000, 5_000)
    assert (found.clauses[0].samples, found.clauses[0].host_samples) == (1_000, 5_000)
    assert any("on 1,000 samples of the target and 5,000 of the host" in reason.message for reason in found.reasons)


@pytest.mark.parametrize("name", ["top1", "iou", "mae"])
def test_where_all_samples_ran_on_the_target_the_host_changes_nothing(name: str) -> None:
    ours = run(name)
    head = {role: each.take(np.arange(1_000)) for role, each in ours.host_references.items()}
    found = verdict(ours, metric=name, host=ours.host.take(np.arange(1_000)), host_references=head)
    assert found == verdict(ours, metric=name, host=None, host_references={})


def test_the_host_narrows_what_the_target_loses() -> None:
    variant = run(host=same)
    with_host, without = verdict(variant), verdict(variant, host=None, host_references={})
    assert with_host.drop_high - with_host.drop_low < 0.8 * (without.drop_high - without.drop_low)


def test_the_order_of_the_hosts_samples_does_not_matter() -> None:
    variant = run()
    order = np.random.default_rng(5).permutation(len(variant.host))
    shuffled = {role: each.take(order) for role, each in variant.host_references.items()}
    found = verdict(variant, host=variant.host.take(order), host_references=shuffled)
    assert found.drop == pytest.approx(verdict(variant).drop)


def test_a_host_that_lacks_samples_of_the_target_fails_the_variant() -> None:
    variant = run()
    rows = np.arange(1, len(variant.host))
    some = {role: each.take(rows) for role, each in variant.host_references.items()}
    found = verdict(variant, host=variant.host.take(rows), host_references=some)
    assert found.state == "failed"
    assert [reason.code for reason in found.reasons] == ["unpaired"]
    assert "the host's outcomes are not those of the target's samples" in found.reasons[0].message


def test_a_host_outcome_that_is_not_finite_fails_the_variant() -> None:
    variant = run("mae")
    spoilt = replace(variant.host, score=np.where(variant.host.index == 4_000, np.nan, variant.host.score))
    assert verdict(variant, metric="mae", host=spoilt).reasons[0].code == "not_finite"


def test_a_class_that_the_target_ruins_and_the_host_keeps_fails() -> None:
    policy = Gate(max_drop=0.5, max_class_drop=0.05)
    scene = beside(class_drop(0.4), keeps_all)
    found = verdict(scene(np.random.default_rng(0), 1_000, False)[0], policy)
    assert found.state == "failed"
    assert [clause.subject for clause in found.clauses if clause.state == "failed"] == ["0"]


def test_classes_and_slices_rest_on_their_own_samples_of_the_host() -> None:
    variant = run()
    site = (np.arange(5_000) % 4).astype("S1")[:, None]

    def marked(outcomes: Outcomes) -> Outcomes:
        return replace(outcomes, slices=site[outcomes.index])

    sliced = measured(
        variant,
        outcomes=marked(variant.candidate),
        references={"baseline": marked(variant.references["baseline"])},
        host=marked(variant.host),
        host_references={"baseline": marked(variant.host_references["baseline"])},
        slice_samples={"site": dict.fromkeys("0123", 250)},
    )
    policy = Gate(max_drop=0.05, max_slice_drop=0.2, max_class_drop=0.5)
    (found,) = judge(policy, TOP1, [sliced])
    counts = {clause.name: (clause.samples, clause.host_samples) for clause in found.clauses}
    assert counts["max_slice_drop"] == (250, 1_250)
    samples, host_samples = counts["max_class_drop"]
    assert samples < 200 < host_samples < 700


def test_an_evaluation_that_may_end_after_any_batch_judges_the_target_alone() -> None:
    variant = run()
    design = Design("sequential")
    assert verdict(variant, design=design).clauses[0].host_samples is None


def test_the_host_of_a_comparison_is_left_out_where_it_has_nothing_more() -> None:
    variant = run()
    baseline, pair = variant.references["baseline"], (variant.host_references["baseline"], variant.host)
    assert compare(TOP1, baseline, variant.candidate, Design(), host=pair).host is not None
    pair = (baseline, variant.candidate)
    assert compare(TOP1, baseline, variant.candidate, Design(), host=pair).host is None


@pytest.mark.parametrize("loss", [0.0, 0.01, 0.08])
@pytest.mark.parametrize("host", [same, keeps_all])
def test_the_states_alone_are_those_of_the_verdicts(loss: float, host: object) -> None:
    variants = [replace(measured(run(host=host, loss=each)), variant=f"{each}") for each in (loss, 0.0)]
    found = states(ONE_POINT, TOP1, variants)
    assert list(found) == [verdict.state for verdict in judge(ONE_POINT, TOP1, variants)]
    assert len(found) == 2
