"""The simulation's values of metrics of whole sets: those of litegate's own, which are scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest

from litegate.metrics.loading import load_metric
from tests.benchmarks.set_populations import WHOLE_SET
from tests.benchmarks.set_values import VALUES


@pytest.mark.parametrize("population", WHOLE_SET, ids=lambda population: population.name)
@pytest.mark.parametrize("rounded", [False, True], ids=["distinct", "with ties"])
def test_they_are_the_metrics_own(population: object, rounded: bool) -> None:
    own = load_metric(population.facts.name).value
    for seed in range(20):
        rng = np.random.default_rng(seed)
        first, second = population.draw(rng, 200, 0.05)
        rows = rng.integers(0, 200, 200)
        for outcomes in (first, second):
            output = outcomes.output[rows]
            output = np.round(output, 1) if rounded else output
            found = VALUES[population.facts.name](output, outcomes.target[rows])
            assert found == pytest.approx(own(output, outcomes.target[rows]), rel=1e-12)


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
def test_a_set_of_one_class_has_none(name: str) -> None:
    with pytest.raises(ValueError, match="one class"):
        VALUES[name](np.arange(4.0), np.ones(4, int))
