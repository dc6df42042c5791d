"""What a metric declares of itself, and the metrics that come with litegate: all that a spec needs to be checked."""

from __future__ import annotations

import re
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict

__all__ = ["BUILT_IN", "DECODED", "DETECTIONS", "MetricFacts", "built_in_facts", "is_top_k", "is_user_metric"]

DETECTIONS = frozenset({"map50", "map50_95"})
"""Metrics of boxes, which `evaluation.detection` names."""
DECODED = frozenset({"wer", "cer"})
"""Metrics of texts, which the user's `evaluation.decoder` makes."""


class MetricFacts(BaseModel):
    """What the gate must know of a metric.

    Attributes:
        name: `top1`, or the user's `package.module:Class`.
        higher_is_better: its direction.
        low, high: the range of its values; None where it has no bound.
        per_sample: whether its value is the mean over single samples; else only a set of samples has a value.
        classifies: whether it judges classes: the labels are numbers of classes, and the output that it judges holds
            the scores of the classes, or one score of the second of two. This alone says that a model is a
            classifier. None where a user's metric does not declare it; the model is then taken for none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, str_max_length=1000)

    name: str
    higher_is_better: bool = True
    low: float | None = 0.0
    high: float | None = 1.0
    per_sample: bool = True
    classifies: bool | None = None

    @property
    def width(self) -> float | None:
        """Length of the range, or None where it has no end."""
        return None if self.low is None or self.high is None else self.high - self.low


BUILT_IN = MappingProxyType(
    {
        facts.name: facts
        for facts in (
            MetricFacts(name="top1", classifies=True),
            MetricFacts(name="binary_accuracy", classifies=True),
            MetricFacts(name="mae", higher_is_better=False, high=None, classifies=False),
            MetricFacts(name="mse", higher_is_better=False, high=None, classifies=False),
            MetricFacts(name="cosine_similarity", low=-1.0, classifies=False),
            MetricFacts(name="iou", classifies=False),
            MetricFacts(name="roc_auc", per_sample=False, classifies=True),
            MetricFacts(name="average_precision", per_sample=False, classifies=True),
            MetricFacts(name="macro_f1", per_sample=False, classifies=True),
            MetricFacts(name="rmse", higher_is_better=False, high=None, per_sample=False, classifies=False),
            MetricFacts(name="reconstruction_auc", per_sample=False, classifies=False),
            MetricFacts(name="map50", per_sample=False, classifies=False),
            MetricFacts(name="map50_95", per_sample=False, classifies=False),
            MetricFacts(name="wer", higher_is_better=False, high=None, per_sample=False, classifies=False),
            MetricFacts(name="cer", higher_is_better=False, high=None, per_sample=False, classifies=False),
        )
    }
)


def is_top_k(name: str) -> bool:
    """Whether `name` is `topK` for any K."""
    return re.fullmatch(r"top[1-9]\d{0,4}", name) is not None


def built_in_facts(name: str) -> MetricFacts | None:
    """The facts of a metric that comes with litegate, `topK` for any K included; None for all other names."""
    if is_top_k(name):
        return MetricFacts(name=name, classifies=True)
    return BUILT_IN.get(name)


def is_user_metric(name: str) -> bool:
    """Whether `name` has the form `package.module:Class`."""
    return re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*", name) is not None
