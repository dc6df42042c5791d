"""Labels that cannot be what the metric judges by: said before a model is run."""

from __future__ import annotations

from typing import Any

import numpy as np

from litegate.datasets import Dataset, longest_label
from litegate.errors import DataError
from litegate.metrics.base import check_classes
from litegate.spec.metric_facts import DECODED, DETECTIONS, MetricFacts, built_in_facts

__all__ = ["check_labels", "lists_of"]

Array = np.ndarray[Any, np.dtype[Any]]


def check_labels(
    dataset: Dataset, metric: MetricFacts, classes: int | None, where: str, relabelled: bool = False
) -> None:
    """Check that there are labels, and for a metric of classes that they are classes of the output.

    Args:
        classes: how many the output tells apart; None where that is not known, or where the metric judges none.
        where: the spec's key and the address, for messages.
        relabelled: whether `preprocess` may make classes of other labels.

    Raises:
        DataError: they are not.
    """
    if not dataset.labelled:
        raise DataError(where, f"labels, which {metric.name} needs", "none")
    if not relabelled and longest_label(dataset) is not None and lists_of(dataset, metric) is None:
        expected = f"labels of one shape for {metric.name}"
        takes = f"{', '.join(sorted(DETECTIONS | DECODED))} and metrics of your own take them"
        raise DataError(where, expected, f"lists of several lengths ({takes})")
    if not metric.classifies or (dataset.labels is None and relabelled):
        return
    if dataset.labels is None:
        expected = f"integers of shape (samples,) as labels for {metric.name}, which judges classes"
        raise DataError(where, expected, _targets(dataset, classes))
    if classes is None:
        return
    if dataset.classes and len(dataset.classes) != classes:
        found = f"{len(dataset.classes)}: {', '.join(dataset.classes)}"
        raise DataError(where, f"{classes} class folders, as many as the model has classes", f"{found:.300}")
    if not relabelled:
        check_classes(dataset.labels, classes, where, dataset.ids)


def lists_of(dataset: Dataset, metric: MetricFacts) -> tuple[int, ...] | None:
    """The shape that lists of several lengths are filled up to by -1, where the metric takes such labels."""
    takes = metric.name in DETECTIONS | DECODED or built_in_facts(metric.name) is None
    return longest_label(dataset) if takes else None


def _targets(dataset: Dataset, classes: int | None) -> str:
    """What the labels are that are no classes, by the first, and what to do about it."""
    ((_, _, label),) = dataset.read([0])
    first = np.asarray(label)
    said = f"targets: {first.dtype} of shape ({', '.join(map(str, ('samples', *first.shape)))})"
    if first.size > 1 and first.shape == (classes,) and np.isin(first, (0, 1)).all():
        one = "one-hot? save label.argmax(axis=1)" if first.sum() == 1 else "independent labels?"
        return f"{said} ({one}; for independent labels take a metric of your own, or mae)"
    if first.size == 1 and first.dtype.kind == "f" and np.all(first == np.floor(first)):
        return f"{said} (if they are numbers of classes, save them as integers)"
    return f"{said} (mae, mse, rmse, cosine_similarity and iou take targets, and so does a metric of your own)"
