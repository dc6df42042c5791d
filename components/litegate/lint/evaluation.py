"""Evaluations that mean nothing: pure functions of labels and of what float32 gave, on a part of the data or on all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from litegate.lint.chance import Skill, skill_of_classes, skill_of_f1, skill_of_ranking
from litegate.outcomes.columns import Outcomes
from litegate.records import DataFinding
from litegate.spec import EvaluationCode
from litegate.spec.metric_facts import BUILT_IN, MetricFacts, is_top_k

__all__ = ["chance", "classes_of", "constant_metric", "finding", "label_coverage", "undeclared"]

Array = np.ndarray[Any, np.dtype[Any]]

_PER_CLASS = 5
"""With so many samples for each class, a class without any is no accident."""
_CERTAIN = 20
"""So many samples that are all of the first half of the classes are no accident: once in a million times."""
_NAMED = 5
_NO_CLASSES = (
    "are its {} columns scores of classes, and the labels theirs? If not, set evaluation.metric to what the output is "
    "(mae, mse or cosine_similarity for values, or a metric of your own), or evaluation.label"
)


def finding(severity: str, code: EvaluationCode, message: str, **numbers: float) -> DataFinding:
    """A finding about the evaluation data."""
    given = {"severity": severity, "code": code, "data": "evaluation", "message": message, "numbers": numbers}
    return DataFinding.model_validate(given)


def classes_of(metric: MetricFacts, outcomes: Outcomes) -> Array | None:
    """The classes that the samples have, (n,), where the metric is one of classes."""
    if not metric.classifies or not len(outcomes):
        return None
    labels = outcomes.target if outcomes.label is None else outcomes.label
    return labels if labels is not None and labels.ndim == 1 and labels.dtype.kind in "iu" else None


def undeclared(metric: MetricFacts, labels: Array | None, outputs: Mapping[str, Any]) -> Iterator[DataFinding]:
    """Whether a user's metric that says nothing of classes may be one of classes, so that something is not watched.

    Args:
        labels: the classes of all samples; None where the labels are targets.
        outputs: of the model, by name, with their shapes.
    """
    shapes = [tensor.shape for tensor in outputs.values()]
    if metric.classifies is not None or labels is None or len(shapes) != 1 or len(shapes[0]) != 2:
        return
    if labels.min() >= 0 and labels.max() < shapes[0][1]:
        said = f"{metric.name} does not say whether it judges classes, so that predictions are not watched"
        cure = "`classifies = True` has the gate ask for lost classes and max_prediction_shift, False ends this warning"
        yield DataFinding(severity="warning", code="undeclared", data="evaluation", message=f"{said}: {cure}")


def label_coverage(labels: Array, classes: int | None, names: Sequence[str] = ()) -> Iterator[DataFinding]:
    """Whether the labels can be classes of the model.

    Args:
        labels: (n,) of all samples.
        classes: how many the model tells apart; None where its output does not say.
        names: of the classes, where they have names.
    """
    seen = np.unique(labels)
    if len(seen) == 1:
        said = f"all {len(labels):,} labels are {_named(int(seen[0]), names)}: no other class is evaluated at all"
        yield finding("error", "one_class", said, samples=len(labels))
        return
    if classes is None or len(seen) >= classes:
        return
    missing = [_named(label, names) for label in sorted(set(range(classes)) - set(seen.tolist()))]
    said = f"{len(missing)} of the model's {classes} outputs are no label of any of {len(labels):,} samples: "
    first_ones = len(labels) >= _CERTAIN and bool(seen[0] >= 0 and seen[-1] < len(seen))
    expected = 2 * len(seen) < classes and (len(labels) >= _PER_CLASS * classes or first_ones)
    wrong = f"; {_NO_CLASSES.format(classes)}" if expected else ""
    numbers = {"missing": len(missing), "classes": classes, "samples": len(labels)}
    yield finding("error" if expected else "warning", "classes", f"{said}{_listed(missing)}{wrong}", **numbers)


def chance(metric: MetricFacts, outcomes: Outcomes, complete: bool) -> Iterator[DataFinding]:
    """Whether the baseline is any better than an answer that does not look at the input.

    Args:
        outcomes: of float32.
        complete: whether they are all that there are; else a part, and only a bound on it is proof.
    """
    labels = classes_of(metric, outcomes)
    if labels is None or len(np.unique(labels)) < 2:
        return
    skill = _skill(metric.name, outcomes, labels)
    severity = None if skill is None else skill.severity(complete)
    if skill is None or severity is None:
        return
    blind = "a random order" if metric.name in ("roc_auc", "average_precision") else "a constant answer"
    name = "roc_auc" if metric.name == "average_precision" else metric.name
    said = f"float32 has {name} {skill.value:.4g} on {len(labels):,} samples, and {blind} has {skill.blind:.4g}"
    doubt = ": are the labels those of the model's outputs?" if severity == "error" else ", which may be chance"
    yield finding(severity, "chance", said + doubt, value=skill.value, blind=skill.blind, samples=len(labels))


def constant_metric(metric: MetricFacts, outcomes: Outcomes, tells: bool = True) -> Iterator[DataFinding]:
    """Whether the metric tells samples apart; one that is at its best for all of them may.

    Args:
        outcomes: of float32.
        tells: whether the metric has other values for other labels, as far as that was tried.
    """
    scores = outcomes.output if outcomes.score is None else outcomes.score
    if metric.name == "macro_f1" or is_top_k(metric.name):
        return  # how right a classifier is, is for `chance` to judge
    if scores is None or len(scores) < 2 or np.any(scores != scores[0]):
        return
    first = np.asarray(scores[0])
    value = f"{float(first):g}" if first.ndim == 0 else "the same"
    if tells and _is_best(metric, outcomes, first):
        return
    why = "it shows no difference" if tells else "all labels are the same, or it does not look at them"
    what = metric.name if outcomes.score is not None else f"what {metric.name} keeps of the output"
    said = f"{what} is {value} for each of {len(scores):,} samples: {why}"
    yield finding("error", "constant_metric", said, samples=len(scores))


def _skill(name: str, outcomes: Outcomes, labels: Array) -> Skill | None:
    if is_top_k(name) and outcomes.score is not None:
        return skill_of_classes(outcomes.score, labels, int(name.removeprefix("top")), outcomes.prediction)
    if outcomes.output is None or name not in BUILT_IN:
        return None
    return skill_of_f1(outcomes.output, labels) if name == "macro_f1" else skill_of_ranking(outcomes.output, labels)


def _is_best(metric: MetricFacts, outcomes: Outcomes, first: Array) -> bool:
    """Whether all samples have the best value; what a metric of a whole set keeps may be anything, but for rmse."""
    if outcomes.score is None:
        return metric.name != "rmse" or float(first) == 0.0
    return float(first) == (metric.high if metric.higher_is_better else metric.low)


def _named(label: int, names: Sequence[str]) -> str:
    return names[label] if 0 <= label < len(names) else str(label)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
