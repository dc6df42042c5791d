"""Populations of pairs whose true loss is known: metrics that only a whole set of samples has."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import norm

from litegate.outcomes.columns import Outcomes
from litegate.spec.metric_facts import BUILT_IN
from tests.benchmarks.populations import Population, rows

__all__ = ["WHOLE_SET"]

Array = np.ndarray[Any, np.dtype[Any]]

_PREVALENCE = 0.3
_SEPARATION = 1.812
"""Distance of the two classes' means in standard deviations: an area under the ROC curve of 0.9."""

_PRIOR = np.array([0.4, 0.3, 0.15, 0.1, 0.05])
_KEPT = 0.9
_DIAGONAL = 0.8


def _roc_auc(separation: float) -> float:
    """Of two normal distributions with equal variance (the binormal model)."""
    return float(norm.cdf(separation / np.sqrt(2)))


def _average_precision(separation: float) -> float:
    """The integral of the precision over the recall, for two normal distributions with equal variance."""

    def precision(threshold: float) -> float:
        hits, alarms = _PREVALENCE * norm.sf(threshold - separation), (1 - _PREVALENCE) * norm.sf(threshold)
        return hits / (hits + alarms)

    return float(quad(lambda t: precision(t) * norm.pdf(t - separation), -8, separation + 8, epsabs=1e-10)[0])


@cache
def _separation(name: str, loss: float) -> float:
    value = {"roc_auc": _roc_auc, "average_precision": _average_precision}[name]
    wanted = value(_SEPARATION) - loss
    return float(brentq(lambda separation: value(separation) - wanted, 0.5, 4.0, xtol=1e-12))


def _binormal(name: str) -> Population:
    def draw(rng: np.random.Generator, samples: int, loss: float) -> tuple[Outcomes, Outcomes]:
        target = (rng.random(samples) < _PREVALENCE).astype(np.int64)
        one, other = rng.standard_normal((2, samples))
        before = one + _SEPARATION * target
        after = 0.97 * one + np.sqrt(1 - 0.97**2) * other + _separation(name, loss) * target
        return tuple(Outcomes(**rows(samples), output=output, target=target) for output in (before, after))

    value = {"roc_auc": _roc_auc, "average_precision": _average_precision}[name]
    return Population(name, BUILT_IN[name], value(_SEPARATION), draw)


def _confusion(diagonal: float) -> Array:
    """Prediction given label, a row for each label: the mistakes are spread evenly."""
    classes = len(_PRIOR)
    return np.full((classes, classes), (1 - diagonal) / (classes - 1)) + np.eye(classes) * (
        diagonal - (1 - diagonal) / (classes - 1)
    )


def _macro_f1(diagonal: float) -> float:
    joint = _PRIOR[:, None] * _confusion(diagonal)
    return float(np.mean(2 * np.diag(joint) / (joint.sum(axis=0) + joint.sum(axis=1))))


@cache
def _fresh_diagonal(loss: float) -> float:
    """How often an answer that was given anew is right, so that all answers together lose as much."""

    def lost(diagonal: float) -> float:
        return _macro_f1(_DIAGONAL) - _macro_f1(_KEPT * _DIAGONAL + (1 - _KEPT) * diagonal) - loss

    return float(brentq(lost, 0.2, 1.0, xtol=1e-12))


def _f1(rng: np.random.Generator, samples: int, loss: float) -> tuple[Outcomes, Outcomes]:
    """A tenth of the answers are given anew."""
    label = rng.choice(len(_PRIOR), samples, p=_PRIOR)
    before, fresh = (_answers(rng, label, diagonal) for diagonal in (_DIAGONAL, _fresh_diagonal(loss)))
    after = np.where(rng.random(samples) < _KEPT, before, fresh)
    return _decided(label, before), _decided(label, after)


def _answers(rng: np.random.Generator, label: Array, diagonal: float) -> Array:
    mistake = (label + rng.integers(1, len(_PRIOR), len(label))) % len(_PRIOR)
    return np.where(rng.random(len(label)) < diagonal, label, mistake)


def _decided(label: Array, prediction: Array) -> Outcomes:
    return Outcomes(**rows(len(label)), output=prediction, target=label, label=label, prediction=prediction)


def _errors(rng: np.random.Generator, samples: int, loss: float) -> tuple[Outcomes, Outcomes]:
    """Normal errors of standard deviation 1 and 1 + loss."""
    one, other = rng.standard_normal((2, samples))
    after = (1 + loss) * (0.99 * one + np.sqrt(1 - 0.99**2) * other)
    return _kept(one), _kept(after)


def _rare_errors(rng: np.random.Generator, samples: int, loss: float) -> tuple[Outcomes, Outcomes]:
    """All of the loss is in one sample of a hundred, whose squared error grows by twice the mean square or so."""
    one, other = rng.standard_normal((2, samples))
    extra = rng.exponential(100 * ((1 + loss) ** 2 - 1), samples) * (rng.random(samples) < 0.01)
    return _kept(one), _kept(np.sqrt((0.9999 * one + np.sqrt(1 - 0.9999**2) * other) ** 2 + extra))


def _kept(error: Array) -> Outcomes:
    return Outcomes(**rows(len(error)), output=np.abs(error), target=np.zeros(len(error)))


WHOLE_SET = (
    _binormal("roc_auc"),
    _binormal("average_precision"),
    Population("macro_f1", BUILT_IN["macro_f1"], _macro_f1(_DIAGONAL), _f1),
    Population("rmse", BUILT_IN["rmse"], 1.0, _errors),
    Population("rmse, rare losses", BUILT_IN["rmse"], 1.0, _rare_errors),
)
