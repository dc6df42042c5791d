"""The reconstruction error of an autoencoder as a score of anomaly, against labels of 0 (normal) and 1 (anomaly)."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from litegate.errors import DataError
from litegate.metrics.base import (
    NO_INPUTS,
    OUTPUT,
    WHERE,
    Inputs,
    Metric,
    Outputs,
    check_classes,
    judged_output,
    sample_shape,
    shape,
)
from litegate.metrics.of_samples import squared_error
from litegate.metrics.of_sets import roc_auc
from litegate.spec.metric_facts import MetricFacts

__all__ = ["reconstruction_metric"]

Array = np.ndarray[Any, np.dtype[Any]]


def reconstruction_metric(facts: MetricFacts, output: str | None = None) -> Metric:
    """The area under the ROC curve of each sample's mean squared error between output and input.

    Args:
        output: name of the one that is judged; None for the only one. The input is the one of the same name, or the
            only one.
    """
    needs = {} if output is None else {output: OUTPUT}
    return Metric(facts, partial(_columns, facts.name, output), roc_auc, output=output, needs=needs)


def _columns(
    name: str, chosen: str | None, outputs: Outputs, labels: Array, inputs: Inputs = NO_INPUTS, /
) -> dict[str, Array]:
    output, given = judged_output(outputs, name, chosen), _input(name, chosen, inputs)
    if sample_shape(output) != sample_shape(given):
        raise DataError(WHERE, f"an output of the input's shape {shape(given)} for {name}", shape(output))
    check_classes(labels, 2)
    return {"output": squared_error(output, given), "target": labels}


def _input(name: str, chosen: str | None, inputs: Inputs) -> Array:
    if chosen is not None and chosen in inputs:
        return inputs[chosen]
    if len(inputs) != 1:
        expected = f"a model with one input for {name}, or an evaluation.output with the name of the input"
        raise DataError(WHERE, expected, f"inputs {', '.join(sorted(inputs))}")
    return next(iter(inputs.values()))
