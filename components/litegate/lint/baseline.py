"""What float32 makes of a part of the evaluation set, before anything is evaluated at length."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from litegate.datasets import Dataset
from litegate.errors import DataError
from litegate.lint.evaluation import chance, classes_of, constant_metric, label_coverage, undeclared
from litegate.metrics.base import Metric, check_classes, not_finite
from litegate.metrics.classes import class_columns, number_of_classes
from litegate.outcomes.columns import Outcomes
from litegate.records import DataFinding
from litegate.runtimes.litert import LiteRTModel

__all__ = ["Baseline"]

Array = np.ndarray[Any, np.dtype[Any]]


class Baseline:
    """Runs the float32 file on batches of evaluation samples, and keeps what the metric keeps.

    What LiteRT cannot run is left to the smoke run, which says it by itself.

    Args:
        where: the spec's key and the address of the data, for messages.
        order: the samples that will be evaluated; those of the batches are among them.
    """

    def __init__(self, model: LiteRTModel, metric: Metric, dataset: Dataset, order: Array, where: str) -> None:
        self._model, self._metric, self._dataset, self._order, self._where = model, metric, dataset, order, where
        self.classes = number_of_classes(metric, {name: each.shape for name, each in model.outputs.items()})
        self._parts: list[Outcomes] = []
        self._runs = True
        self._relabelled = self._differs = False
        self._blind: bool | None = None
        self._first: Array | None = None

    def add(self, index: Array, labels: Array | None, features: Mapping[str, Array]) -> None:
        """Run a batch: positions in the dataset, and labels and features as `preprocess` made them.

        Raises:
            DataError: labels and outputs are not what the metric needs, or an output is not finite.
        """
        if labels is None or not self._runs:
            return
        try:
            outputs = self._model.predict(dict(features))
        except (RuntimeError, TypeError, ValueError):
            self._runs = False
            return
        self._refuse_not_finite(index, outputs)
        if self.classes is not None:
            check_classes(labels, self.classes, "preprocess", [self._dataset.ids[at] for at in index.tolist()])
        kept = self._metric.columns(outputs, labels, features)
        self._see(index, labels)
        self._try_other_labels(outputs, labels, kept, features)
        own = class_columns(self._metric, outputs, labels)
        ids = np.array([self._dataset.ids[at].encode() for at in index.tolist()])
        self._parts.append(Outcomes(index=index, id=ids, **own, **kept))

    def findings(self) -> Iterator[DataFinding]:
        """What was found."""
        if not self._parts or not self._runs:
            return
        outcomes, facts = Outcomes.concatenate(self._parts), self._metric.facts
        labels = self._all_labels(outcomes)
        if labels is not None:
            yield from label_coverage(labels, self.classes, self._dataset.classes)
        yield from chance(facts, outcomes, len(outcomes) == len(self._order))
        yield from undeclared(facts, self._dataset.labels, self._model.outputs)
        tells = self._blind is not True and (self._differs or bool(facts.classifies))
        yield from constant_metric(facts, outcomes, tells)

    def _all_labels(self, outcomes: Outcomes) -> Array | None:
        """The classes of all samples; of those that were looked at where `preprocess` makes other ones of them."""
        if classes_of(self._metric.facts, outcomes) is None or self._dataset.labels is None or self._relabelled:
            return classes_of(self._metric.facts, outcomes)
        return self._dataset.labels[self._order]

    def _refuse_not_finite(self, index: Array, outputs: Mapping[str, Array]) -> None:
        bad = not_finite(outputs)
        if bad is not None:
            sample = self._dataset.ids[int(index[bad[1]])]
            found = f"NaN or infinity in its output {bad[0]} for sample {sample}: look at this sample, and at the model"
            raise DataError(self._where, "finite outputs of float32", found)

    def _see(self, index: Array, labels: Array) -> None:
        given = self._dataset.labels
        self._relabelled |= given is not None and not np.array_equal(given[index], labels)
        self._first = labels[0] if self._first is None else self._first
        self._differs |= bool(np.any(labels != self._first))

    def _try_other_labels(
        self, outputs: Mapping[str, Array], labels: Array, kept: Mapping[str, Array], features: Mapping[str, Array]
    ) -> None:
        """Whether the metric says the same of every batch if samples have other labels."""
        others = np.roll(labels, 1, axis=0)
        if np.array_equal(others, labels) and self._first is not None:
            others = np.broadcast_to(self._first, labels.shape).copy()
        if np.array_equal(others, labels):
            return
        try:
            other = self._metric.columns(outputs, others, features)
        except DataError:
            return
        same = all(np.array_equal(kept[name], other[name]) for name in ("score", "output") if name in kept)
        self._blind = same and self._blind is not False
