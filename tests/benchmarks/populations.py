"""Populations of pairs whose true loss is known: metrics of single samples.

A population draws outcomes of a baseline and of a candidate on the same samples. The candidate's true loss is
exactly what is asked for, positive where it is worse; a loss of zero still leaves the two answering differently
on some samples, as a quantized model does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from litegate.outcomes.columns import Outcomes
from litegate.spec.metric_facts import BUILT_IN, MetricFacts, built_in_facts

__all__ = ["ACCURACY", "CLASSES", "PER_SAMPLE", "RESNET8", "UNCLAIMED", "Population", "classified", "flip", "rows"]

Array = np.ndarray[Any, np.dtype[Any]]
Draw = Callable[[np.random.Generator, int, float], tuple[Outcomes, Outcomes]]

RESNET8 = 0.038
"""Share of the CIFAR-10 test images on which exactly one of float and int8 ResNet-8 is right."""

ACCURACY = 0.75
CLASSES = 10


@dataclass(frozen=True)
class Population:
    """`value` is the baseline's true value, `margin` one point: a hundredth of the range, or of the value."""

    name: str
    facts: MetricFacts
    value: float
    draw: Draw
    margin: float = 0.01


@cache
def rows(samples: int) -> dict[str, Array]:
    """The columns that say which sample a row is."""
    index = np.arange(samples)
    return {"index": index, "id": index.astype(np.bytes_)}


def flip(rng: np.random.Generator, before: Array, accuracy: float, loss: Array | float, discordance: float) -> Array:
    """Whether a second model is right: discordant with `before` as often as stated, its accuracy lower by `loss`.

    No discordance can be smaller than the loss, so where it is, all that differs is lost.
    """
    discordance = np.maximum(discordance, np.abs(loss))
    lost, gained = (discordance + loss) / 2, (discordance - loss) / 2
    return before ^ (rng.random(len(before)) < np.where(before, lost / accuracy, gained / (1 - accuracy)))


def classified(right: Array, label: Array, mistake: Array) -> Outcomes:
    """Outcomes of a classifier that answers `label` where it is right, else `mistake`."""
    prediction = np.where(right, label, mistake)
    return Outcomes(**rows(len(right)), score=right, label=label, prediction=prediction)


def _binary(discordance: float, accuracy: float = ACCURACY) -> Draw:
    def draw(rng: np.random.Generator, samples: int, loss: float) -> tuple[Outcomes, Outcomes]:
        label = rng.integers(CLASSES, size=samples)
        mistake = (label + rng.integers(1, CLASSES, size=samples)) % CLASSES
        before = rng.random(samples) < accuracy
        after = flip(rng, before, accuracy, loss, discordance)
        return classified(before, label, mistake), classified(after, label, mistake)

    return draw


def _scored(before: Array, after: Array) -> tuple[Outcomes, Outcomes]:
    return Outcomes(**rows(len(before)), score=before), Outcomes(**rows(len(after)), score=after)


def _lognormal(rng: np.random.Generator, sigma: float, samples: int) -> Array:
    """Log-normal with mean 1."""
    return rng.lognormal(-(sigma**2) / 2, sigma, samples)


def _gamma_errors(rng: np.random.Generator, samples: int, loss: float) -> tuple[Outcomes, Outcomes]:
    """Absolute errors with mean 1; the candidate's scatter by a tenth, and all grow a little."""
    before = rng.gamma(2, 0.5, samples)
    return _scored(before, before * _lognormal(rng, 0.1, samples) + loss * rng.exponential(1, samples))


def _heavy_errors(rng: np.random.Generator, samples: int, loss: float) -> tuple[Outcomes, Outcomes]:
    """Heavy tails: neither the errors nor what is lost have a mean that small samples show."""
    before = _lognormal(rng, 1.0, samples)
    return _scored(before, before * _lognormal(rng, 0.1, samples) + loss * _lognormal(rng, 1.5, samples))


def _unseen_errors(rng: np.random.Generator, samples: int, loss: float) -> tuple[Outcomes, Outcomes]:
    """All of the loss is in one sample of five thousand, where it is five thousand times as large.

    Without a bound of the errors no method can rule that out before it is seen: R. Bahadur and L. Savage, "The
    nonexistence of certain statistical procedures in nonparametric problems", Ann. Math. Statist. 27 (1956).
    """
    before = rng.gamma(2, 0.5, samples)
    extra = 5_000 * loss * (rng.random(samples) < 1 / 5_000)
    return _scored(before, before * _lognormal(rng, 0.01, samples) + extra)


def _rare_errors(rng: np.random.Generator, samples: int, loss: float) -> tuple[Outcomes, Outcomes]:
    """All of the loss is in one sample of a hundred, where it is a hundred times as large."""
    before = rng.gamma(2, 0.5, samples)
    extra = rng.exponential(100 * loss, samples) * (rng.random(samples) < 0.01)
    return _scored(before, before * _lognormal(rng, 0.01, samples) + extra)


def _squared_errors(rng: np.random.Generator, samples: int, loss: float) -> tuple[Outcomes, Outcomes]:
    """Squares of correlated normal errors: mean 1 and 1 + loss."""
    one, other = rng.standard_normal((2, samples))
    return _scored(one**2, (1 + loss) * (0.99 * one + np.sqrt(1 - 0.99**2) * other) ** 2)


def _cosines(rng: np.random.Generator, samples: int, loss: float) -> tuple[Outcomes, Outcomes]:
    angle = rng.beta(2, 18, samples) / 2
    noise = 0.2 * angle * rng.uniform(-1, 1, samples)
    return _scored(1 - angle, 1 - angle + noise - (rng.beta(1, 1 / loss - 1, samples) if loss else 0))


def _rare_cosines(rng: np.random.Generator, samples: int, loss: float) -> tuple[Outcomes, Outcomes]:
    """All of the loss is in the few samples that lose 1.4 of the range of 2."""
    angle = rng.beta(2, 18, samples) / 2
    noise = 0.02 * angle * rng.uniform(-1, 1, samples)
    return _scored(1 - angle, 1 - angle + noise - 1.4 * (rng.random(samples) < loss / 1.4))


def _ious(rng: np.random.Generator, samples: int, loss: float) -> tuple[Outcomes, Outcomes]:
    """The overlap shrinks by a random share."""
    before, noise = _noisy_ious(rng, samples, 0.3)
    share = loss / 0.8
    return _scored(before, (before + noise) * (1 - (rng.beta(1, 1 / share - 1, samples) if loss else 0)))


def _rare_ious(rng: np.random.Generator, samples: int, loss: float) -> tuple[Outcomes, Outcomes]:
    """About 1 % of the samples lose nearly everything, the others nothing."""
    before, noise = _noisy_ious(rng, samples, 0.01)
    lost = rng.random(samples) < loss / 0.8 / 0.95
    return _scored(before, (before + noise) * np.where(lost, 0.05, 1.0))


def _noisy_ious(rng: np.random.Generator, samples: int, scale: float) -> tuple[Array, Array]:
    before = rng.beta(8, 2, samples)
    return before, scale * np.minimum(before, 1 - before) * rng.uniform(-1, 1, samples)


def _beta_scores(rng: np.random.Generator, samples: int, loss: float) -> tuple[Outcomes, Outcomes]:
    """A tenth of the samples get a new score, from a distribution with a lower mean."""
    before, mean = rng.beta(5, 2, samples), 5 / 7 - loss / 0.1
    fresh = rng.beta(7 * mean, 7 * (1 - mean), samples)
    return _scored(before, np.where(rng.random(samples) < 0.1, fresh, before))


def _beta_costs(rng: np.random.Generator, samples: int, loss: float) -> tuple[Outcomes, Outcomes]:
    """The same as a cost from 0 to 10, where less is better."""
    before, after = _beta_scores(rng, samples, loss / 10)
    return _scored(10 * (1 - before.score), 10 * (1 - after.score))


def _user(higher_is_better: bool, high: float) -> MetricFacts:
    return MetricFacts(name="scores:Quality", higher_is_better=higher_is_better, high=high)


_TOP5 = built_in_facts("top5")
assert _TOP5 is not None

UNCLAIMED = Population("mae, unseen losses", BUILT_IN["mae"], 1.0, _unseen_errors)
"""For metrics whose values have no bound the gate claims its error rate for what the samples can show, not for this."""

PER_SAMPLE = (
    Population("top1", BUILT_IN["top1"], ACCURACY, _binary(RESNET8)),
    Population("top1, rare", BUILT_IN["top1"], ACCURACY, _binary(0.002)),
    Population("top1, restless", BUILT_IN["top1"], ACCURACY, _binary(2 * RESNET8)),
    Population("top5", _TOP5, 0.95, _binary(0.02, 0.95)),
    Population("mae", BUILT_IN["mae"], 1.0, _gamma_errors),
    Population("mae, heavy tails", BUILT_IN["mae"], 1.0, _heavy_errors),
    Population("mae, rare losses", BUILT_IN["mae"], 1.0, _rare_errors),
    Population("mse", BUILT_IN["mse"], 1.0, _squared_errors),
    Population("mse, heavy tails", BUILT_IN["mse"], 1.0, _heavy_errors),
    Population("cosine_similarity", BUILT_IN["cosine_similarity"], 0.95, _cosines),
    Population("cosine_similarity, rare losses", BUILT_IN["cosine_similarity"], 0.95, _rare_cosines),
    Population("iou", BUILT_IN["iou"], 0.8, _ious),
    Population("iou, rare losses", BUILT_IN["iou"], 0.8, _rare_ious),
    Population("user's score", _user(True, 1.0), 5 / 7, _beta_scores),
    Population("user's cost", _user(False, 10.0), 10 * 2 / 7, _beta_costs, 0.1),
)
