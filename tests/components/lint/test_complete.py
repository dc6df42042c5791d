"""What all outcomes of float32 say of an evaluation: no variant passes one that means nothing, unless it is allowed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from litegate.lint.complete import evaluation_refusals
from litegate.outcomes.columns import Outcomes
from litegate.spec.metric_facts import MetricFacts, built_in_facts

TOP1, MAE = (built_in_facts(name) for name in ("top1", "mae"))
ROWS = np.arange(400)
LABELS = ROWS % 4


def classified(predictions: np.ndarray, labels: np.ndarray = LABELS) -> Outcomes:
    return Outcomes(ROWS, ROWS.astype("S"), predictions == labels, label=labels, prediction=predictions)


@pytest.mark.parametrize(
    ("outcomes", "metric", "code"),
    [
        (classified((LABELS + 1) % 4), TOP1, "chance"),
        (classified(np.zeros(400, int)), TOP1, "chance"),
        (classified(np.ones(400, int), np.ones(400, int)), TOP1, "one_class"),
        (Outcomes(ROWS, ROWS.astype("S"), np.full(400, 2.0)), MAE, "constant_metric"),
    ],
)
def test_an_evaluation_that_means_nothing_refuses_every_variant_unless_it_is_allowed(
    outcomes: Outcomes, metric: MetricFacts, code: str
) -> None:
    (reason,) = evaluation_refusals(metric, outcomes, True, (), ())
    assert reason.code == f"evaluation_{code}"
    assert f"evaluation.allow: [{code}] lets it pass" in reason.message
    assert evaluation_refusals(metric, outcomes, True, (), (code,)) == ()


def test_a_sound_evaluation_refuses_nothing_and_a_broken_one_is_for_the_verdicts() -> None:
    sound = classified(np.where(ROWS % 10, LABELS, 0))
    assert evaluation_refusals(TOP1, sound, True, (), ()) == ()
    broken = replace(sound, score=np.full(400, np.nan))
    assert evaluation_refusals(TOP1, broken, True, (), ()) == ()
    assert evaluation_refusals(TOP1, sound.take(ROWS[:0]), True, (), ()) == ()
