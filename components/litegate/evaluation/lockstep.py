"""Several files over the same samples: each sample is read and preprocessed once, and every file sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from litegate.datasets.features import FeatureReader
from litegate.errors import StepFailed
from litegate.evaluation.fed import fed_digests
from litegate.failures import FailureKind
from litegate.metrics.base import check_classes
from litegate.metrics.loading import load_metric
from litegate.outcomes.columns import Outcomes
from litegate.records import UserCode
from litegate.runtimes.litert import LiteRTModel
from litegate.user_code.source import load_preprocess

__all__ = ["Job", "Lockstep"]

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Job:
    """What a process needs to evaluate samples; can be sent to other processes.

    Attributes:
        files: bytes of each .tflite file, by the name that it has in messages and results.
        signature: which one runs, of every file.
        classes: number of classes of the model, None where it is no classifier.
    """

    files: Mapping[str, bytes]
    signature: str
    reader: FeatureReader
    metric: str
    metric_code: UserCode | None
    preprocess: UserCode | None
    classes: int | None


class Lockstep:
    """The files of a job, loaded; use it from one thread at a time.

    Raises:
        BadInput: the user's code cannot be loaded.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._models = {name: LiteRTModel(content, job.signature) for name, content in job.files.items()}
        self._metric = load_metric(job.metric, job.metric_code)
        self._preprocess = load_preprocess(job.preprocess)

    def outcomes(self, indices: Array, seen: Callable[[int], None]) -> dict[str, Outcomes]:
        """Outcomes of each file on the samples at `indices`, in the order in which they were read.

        Args:
            seen: is told after each batch how many samples it had.

        Raises:
            DataError: samples or outputs are not what model, `preprocess` or metric need.
            StepFailed: a file gave an output that is not finite.
        """
        parts: dict[str, list[Outcomes]] = {name: [] for name in self._models}
        for index, labels, features in self._job.reader.batches(indices, self._preprocess):
            assert labels is not None
            ids = self._ids(index)
            if self._metric.needs_classes and self._job.classes:
                check_classes(labels, self._job.classes, "preprocess", ids)  # which may have changed them
            identity = {"index": index, "id": np.char.encode(ids, "utf-8"), "fed": fed_digests(features, labels)}
            identity |= self._groups(index)
            for name in self._models:
                parts[name].append(Outcomes(**identity, **self._measured(name, features, labels)))
            seen(len(index))
        return {name: Outcomes.concatenate(part) for name, part in parts.items()}

    def _ids(self, index: Array) -> list[str]:
        return [self._job.reader.dataset.ids[position] for position in index.tolist()]

    def _groups(self, index: Array) -> dict[str, Array]:
        groups = self._job.reader.dataset.groups
        return {} if groups is None else {"group": groups[index]}

    def _measured(self, name: str, features: dict[str, Array], labels: Array) -> dict[str, Array]:
        outputs = self._models[name].predict(features)
        if not all(np.isfinite(output).all() for output in outputs.values()):
            raise StepFailed("evaluate", FailureKind.NOT_FINITE, f"{name} gave NaN or infinity on real samples")
        columns = self._metric.columns(outputs, labels)
        if self._job.classes and self._job.reader.dataset.labels is not None:
            (output,) = outputs.values()
            columns |= {"label": labels, "prediction": output.argmax(axis=-1)}
        return columns
