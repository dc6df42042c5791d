"""The benchmark is worth what its populations are: their true losses, seen in one huge sample of each."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from litegate.outcomes.clusters import Clusters
from litegate.outcomes.columns import Outcomes
from tests.benchmarks.clusters import Clustering, equal, in_clusters, largest_lost, lognormal, some_lost
from tests.benchmarks.populations import PER_SAMPLE, RESNET8, Population
from tests.benchmarks.scenes import Scene, alone
from tests.benchmarks.set_populations import WHOLE_SET

SAMPLES = 400_000
LOSSES = ("at the limit", "perfect")


def loss_of(population: Population, at: str) -> float:
    return population.margin if at == "at the limit" else 0.0


def draw(population: Population, at: str) -> tuple[Outcomes, Outcomes]:
    return population.draw(np.random.default_rng(3), SAMPLES, loss_of(population, at))


@pytest.mark.parametrize("at", LOSSES)
@pytest.mark.parametrize("population", PER_SAMPLE, ids=lambda population: population.name)
def test_the_mean_loss_is_the_one_asked_for(population: Population, at: str) -> None:
    before, after = (outcomes.score.astype(float) for outcomes in draw(population, at))
    losses = (before - after) * (1 if population.facts.higher_is_better else -1)
    error = losses.std() / SAMPLES**0.5
    assert error < population.margin / 10, "the sample tells the limit from a perfect model"
    assert losses.mean() == pytest.approx(loss_of(population, at), abs=4 * error + 1e-12)
    assert before.mean() == pytest.approx(population.value, abs=4 * before.std() / SAMPLES**0.5)


@pytest.mark.parametrize("population", PER_SAMPLE, ids=lambda population: population.name)
def test_scores_are_in_the_range_that_the_metric_declares(population: Population) -> None:
    scores = np.concatenate([outcomes.score for outcomes in draw(population, "at the limit")])
    assert np.isfinite(scores).all()
    assert population.facts.low is None or scores.min() >= population.facts.low
    assert population.facts.high is None or scores.max() <= population.facts.high


VALUES = {
    "roc_auc": lambda outcomes: roc_auc_score(outcomes.target, outcomes.output),
    "average_precision": lambda outcomes: average_precision_score(outcomes.target, outcomes.output),
    "macro_f1": lambda outcomes: f1_score(outcomes.target, outcomes.output, average="macro"),
    "rmse": lambda outcomes: np.sqrt(np.mean((outcomes.output - outcomes.target) ** 2)),
}


@pytest.mark.parametrize("at", LOSSES)
@pytest.mark.parametrize("population", WHOLE_SET, ids=lambda population: population.name)
def test_the_loss_of_the_whole_set_is_the_one_asked_for(population: Population, at: str) -> None:
    before, after = (VALUES[population.facts.name](outcomes) for outcomes in draw(population, at))
    loss = (before - after) * (1 if population.facts.higher_is_better else -1)
    assert before == pytest.approx(population.value, abs=4e-3)
    assert loss == pytest.approx(loss_of(population, at), abs=population.margin / 10)


def test_a_perfect_model_is_discordant_as_the_real_one() -> None:
    before, after = draw(PER_SAMPLE[0], "perfect")
    assert np.mean(before.score != after.score) == pytest.approx(RESNET8, abs=1e-3)
    assert (before.prediction != before.label).mean() == pytest.approx(0.25, abs=3e-3)
    same = before.score == after.score
    assert (before.prediction[same] == after.prediction[same]).all()


GROUPS, COPIES = Clustering("", equal(4)), Clustering("", equal(4), "fed", alike=0.5)
CLUSTERED = {
    "groups": (in_clusters(alone(PER_SAMPLE[0], 0.01), GROUPS), 25_000, 4),
    "copies": (in_clusters(alone(PER_SAMPLE[0], 0.01), COPIES), 25_000, 4),
    "unequal": (in_clusters(alone(PER_SAMPLE[0], 0.01), Clustering("", lognormal(4, 0.8))), 25_000, None),
    "some lost": (some_lost(GROUPS, 0.01), 25_000, 4),
    "some half lost": (some_lost(GROUPS, 0.01, 0.5), 25_000, 4),
    "the largest lost": (largest_lost(50, 0.1, 0.01), 90_200, 50),
}


@pytest.mark.parametrize("perfect", [False, True])
@pytest.mark.parametrize(("scene", "number", "largest"), CLUSTERED.values(), ids=CLUSTERED)
def test_clusters_are_as_many_and_lose_as_much_as_asked_for(
    scene: Scene, number: int, largest: int | None, perfect: bool
) -> None:
    rng, losses = np.random.default_rng(5), []
    for _ in range(10):
        (variant,) = scene(rng, 100_000, perfect)
        clusters = Clusters.of(variant.candidate)
        assert clusters is not None
        assert len(clusters) == number
        assert largest is None or clusters.sizes.max() == largest
        lost = variant.references["baseline"].score.astype(float) - variant.candidate.score
        rest = clusters.sums(lost - lost.mean())
        losses.append((lost.mean(), np.sqrt(np.sum(rest**2)) / len(lost)))
    found, errors = np.array(losses).T
    assert found.mean() == pytest.approx(0.0 if perfect else 0.01, abs=4 * max(errors.max(), found.std()) / 10**0.5)
