"""What float32 makes of a part of the evaluation set, before anything is evaluated at length."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from litegate.errors import DataError
from litegate.lint.evaluation import chance, constant_metric, label_coverage
from litegate.litert import LiteRTModel
from litegate.metrics.base import Metric
from litegate.records import DataFinding

__all__ = ["Baseline"]

Array = np.ndarray[Any, np.dtype[Any]]


class Baseline:
    """Runs the float32 file on batches of evaluation samples, and keeps what the metric keeps.

    What does not fit the metric is left to the evaluation, which says it by itself.
    """

    def __init__(self, model: LiteRTModel, metric: Metric) -> None:
        self._model, self._metric = model, metric
        shapes = [tensor.shape for tensor in model.outputs.values()]
        columns = shapes[0][1] if len(shapes) == 1 and len(shapes[0]) == 2 and shapes[0][1] >= 2 else None
        self.classes = columns if metric.needs_classes else None
        self._scores: list[Array] = []
        self._labels: list[Array] = []
        self._predictions: list[Array] = []
        self._fits = True

    def add(self, labels: Array | None, features: Mapping[str, Array]) -> None:
        """Run a batch."""
        if labels is None or not self._fits:
            return
        try:
            outputs = self._model.predict(features)
            kept = self._metric.columns(outputs, labels)
        except (DataError, RuntimeError, TypeError, ValueError):
            self._fits = False
            return
        if "score" in kept:
            self._scores.append(kept["score"])
        if self.classes and labels.ndim == 1:
            (output,) = outputs.values()
            self._labels.append(labels)
            self._predictions.append(output.argmax(axis=-1))

    def findings(self, all_labels: Array | None, names: tuple[str, ...]) -> Iterator[DataFinding]:
        """What was found.

        Args:
            all_labels: of every sample of the evaluation set, where they are classes.
            names: of the classes, where they have names.
        """
        if not self._fits:
            return
        if all_labels is not None and len(all_labels) and self._metric.needs_classes:
            yield from label_coverage(all_labels, self.classes, names)
        yield from self._of_chance(names)
        if self._scores:
            yield from constant_metric(np.concatenate(self._scores), self._metric.facts)

    def _of_chance(self, names: tuple[str, ...]) -> Iterator[DataFinding]:
        if not self._labels:
            return
        labels, predictions = np.concatenate(self._labels), np.concatenate(self._predictions)
        right = predictions == labels if self._metric.facts.name == "top1" else None
        yield from chance(labels, predictions, right, names)
