"""The user's own metric, `package.module:Class`: a class without arguments that says what it is and measures.

A metric of single samples gives a score for each:

    class Hamming:
        higher_is_better, range, per_sample = False, (0, float("inf")), True

        def score(self, outputs, labels):
            return (outputs["bits"].round() != labels).sum(axis=1)

A metric of a whole set gives one value, from the model's only output and the labels as they are, or from what
`keep(outputs, labels)` made of several outputs:

    class Kappa:
        higher_is_better, range, per_sample = True, (-1, 1), False

        def value(self, output, target):
            from sklearn.metrics import cohen_kappa_score

            return cohen_kappa_score(target, output.argmax(axis=1))

One that judges classes says so: with `classifies = True` the labels must be classes of the model's only output, (n,
classes) scores or one score of the second of two, and the gate watches what is predicted: the shares of the classes,
and whether one is lost. Without it nothing of that is asked; `classifies = False` says that this is meant.

`outputs` holds real values by output name, each (n, ...); `labels` are (n,) classes or (n, ...) targets. A method
with a third parameter `inputs` also gets the model's inputs by name, each (n, ...), as `preprocess` made them.
Scores and what is kept are made in the TensorFlow environment, values in the service environment: what only one of
them has is imported inside the method. A set without a value, such as one class only, is a `ValueError`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from inspect import signature
from typing import Any

import numpy as np

from litegate.errors import DataError, SpecError
from litegate.metrics.base import NO_INPUTS, OUTPUT, WHERE, Inputs, Metric, Outputs, judged_output, shape
from litegate.spec.metric_facts import MetricFacts

__all__ = ["user_metric"]

Array = np.ndarray[Any, np.dtype[Any]]
_TOLERANCE = 1e-6


def user_metric(name: str, instance: Any, output: str | None = None) -> Metric:
    """The metric that `instance`, an object of the user's class, declares and computes.

    Args:
        output: name of the output that holds the classes, or that a metric of a whole set without `keep` judges; None
            for the only one. `score` and `keep` see all outputs.

    Raises:
        SpecError: it does not declare direction, range and kind, or lacks the method that its kind needs.
    """
    facts = _facts(name, instance)
    users = _Users(facts, instance, output)
    needs = {} if output is None else {output: OUTPUT}
    if facts.per_sample:
        return Metric(facts, users.scores, output=output, needs=needs)
    return Metric(facts, users.kept, users.value, output=output, needs=needs)


def _facts(name: str, instance: Any) -> MetricFacts:
    for attribute in ("higher_is_better", "per_sample"):
        declared = getattr(instance, attribute, None)
        if not isinstance(declared, bool):
            raise SpecError(WHERE, f"{attribute} = True or False in {name}", _found(instance, attribute))
    if getattr(instance, "classifies", None) not in (True, False, None):
        raise SpecError(WHERE, f"classifies = True or False in {name}", _found(instance, "classifies"))
    low, high = _range(name, instance)
    method = "score" if instance.per_sample else "value"
    if not callable(getattr(instance, method, None)):
        raise SpecError(WHERE, f"a method {method} in {name}", _found(instance, method))
    return MetricFacts(
        name=name,
        higher_is_better=instance.higher_is_better,
        low=low if math.isfinite(low) else None,
        high=high if math.isfinite(high) else None,
        per_sample=instance.per_sample,
        classifies=getattr(instance, "classifies", None),
    )


def _range(name: str, instance: Any) -> tuple[float, float]:
    expected = f"range = (low, high) in {name}, two numbers with low < high"
    try:
        low, high = (float(bound) for bound in instance.range)
    except (AttributeError, TypeError, ValueError):
        raise SpecError(WHERE, expected, _found(instance, "range")) from None
    if not low < high or low == math.inf or high == -math.inf:
        raise SpecError(WHERE, expected, _found(instance, "range"))
    return low, high


def _found(instance: Any, attribute: str) -> str:
    return f"{getattr(instance, attribute)!r:.100}" if hasattr(instance, attribute) else f"no {attribute}"


@dataclass(frozen=True)
class _Users:
    """The user's methods, with what they give checked against what the class declares."""

    facts: MetricFacts
    instance: Any
    output: str | None

    def scores(self, outputs: Outputs, labels: Array, inputs: Inputs = NO_INPUTS, /) -> dict[str, Array]:
        score = self._called("score", outputs, labels, inputs)
        if score.shape != (len(labels),):
            raise DataError(WHERE, f"scores of shape ({len(labels)},) from {self.facts.name}", f"{score.shape}")
        self._check_range(score)
        return {"score": score if score.dtype == bool else score.astype(np.float64)}

    def kept(self, outputs: Outputs, labels: Array, inputs: Inputs = NO_INPUTS, /) -> dict[str, Array]:
        if not hasattr(self.instance, "keep"):
            name = f"{self.facts.name} without a method keep"
            return {"output": judged_output(outputs, name, self.output), "target": labels}
        kept = self._called("keep", outputs, labels, inputs)
        if kept.shape[:1] != (len(labels),):
            expected = f"an array of {len(labels)} samples from keep of {self.facts.name}"
            raise DataError(WHERE, expected, f"shape {kept.shape}")
        return {"output": kept, "target": labels}

    def value(self, output: Array, target: Array) -> float:
        value = float(self.instance.value(output, target))
        if not math.isfinite(value):
            raise ValueError(f"{self.facts.name} gave {value} for {len(target)} samples")
        self._check_range(np.array([value]))
        return value

    def _called(self, method: str, outputs: Outputs, labels: Array, inputs: Inputs) -> Array:
        function = getattr(self.instance, method)
        try:
            given = {"inputs": inputs} if "inputs" in signature(function).parameters else {}
            result = np.asarray(function(outputs, labels, **given))
        except Exception as error:
            shapes = ", ".join(f"{name} {shape(value)}" for name, value in outputs.items())
            found = f"{type(error).__name__}: {error} for outputs {shapes} and labels {shape(labels)}"
            raise DataError(WHERE, f"an array from {method} of {self.facts.name}", found) from error
        if result.dtype.kind not in "biuf" or not np.isfinite(result).all():
            found = f"NaN or infinity in {result.dtype}" if result.dtype.kind == "f" else f"{result.dtype}"
            raise DataError(WHERE, f"finite numbers from {method} of {self.facts.name}", found)
        return result

    def _check_range(self, values: Array) -> None:
        low = -math.inf if self.facts.low is None else self.facts.low
        high = math.inf if self.facts.high is None else self.facts.high
        slack = _TOLERANCE * max([1.0, *(abs(bound) for bound in (low, high) if math.isfinite(bound))])
        outside = values[(values < low - slack) | (values > high + slack)]
        if len(outside):
            raise DataError(WHERE, f"values from {low:g} to {high:g}, as {self.facts.name} declares", f"{outside[0]:g}")
