"""Several files over the same samples: each sample is read and preprocessed once, and every file sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from litegate.datasets.features import FeatureReader
from litegate.diagnosis import exhausted, kind_of, message_of
from litegate.evaluation.fed import answer_digests, fed_digests
from litegate.failures import FailureKind
from litegate.metrics.base import check_classes, not_finite
from litegate.metrics.classes import class_columns
from litegate.metrics.loading import load_metric
from litegate.records import Judged, UserCode
from litegate.runtimes import Model, load_runtime
from litegate.user_code.source import load_preprocess

__all__ = ["BATCH", "NOT_FINITE", "FileFailed", "Job", "Lockstep", "Run"]

Array = np.ndarray[Any, np.dtype[Any]]
BATCH = 32
"""Samples that are read at once. Where batches begin depends on the samples alone, not on who evaluates them."""
NOT_FINITE = "it gave NaN or infinity on real samples"


class FileFailed(Exception):
    """A file cannot be evaluated; the others can.

    Args:
        file: its number.
        certain: whether it would fail alone, too: what is short of memory may be so for the others' sake.
    """

    def __init__(self, file: int, kind: FailureKind, message: str, certain: bool = True) -> None:
        super().__init__(file, kind, message, certain)
        self.file, self.kind, self.message, self.certain = file, kind, message, certain


class Run(NamedTuple):
    """A .tflite file, by where its bytes lie, and what runs it; of a device also where its evidence lies."""

    path: Path
    runtime: str
    evidence: Path | None = None

    def load(self, signature: str | None) -> Model:
        """The file, loaded by what runs it."""
        return load_runtime(self.runtime, self.evidence).load(self.path.read_bytes(), signature)


@dataclass(frozen=True)
class Job:
    """What a process needs to evaluate samples.

    Attributes:
        files: each .tflite file, as often as there are runtimes for it.
        signature: which one runs, of every file.
        compared: whether what two runtimes give is compared, so that each answer is kept as a digest.
        classes: number of classes of the model, None where it is no classifier.
    """

    files: tuple[Run, ...]
    signature: str
    compared: bool
    reader: FeatureReader
    metric: str
    metric_code: UserCode | None
    judged: Judged
    preprocess: UserCode | None
    classes: int | None


class Lockstep:
    """The files of a job, each loaded when it is needed; use it from one thread at a time.

    Args:
        enter: is told which file is run from now on, None for none.

    Raises:
        BadInput: the user's code cannot be loaded.
    """

    def __init__(self, job: Job, enter: Callable[[int | None], None] = lambda _: None) -> None:
        self._job, self._enter = job, enter
        self._models: dict[int, Model] = {}
        self._metric = load_metric(job.metric, job.metric_code, job.judged)
        self._preprocess = load_preprocess(job.preprocess)

    def batches(self, samples: Array | range) -> Iterator[tuple[Array, Array, dict[str, Array]]]:
        """Indices, labels and inputs of the samples, `BATCH` at a time, in the order in which they are given.

        Raises:
            DataError: samples are not what model or `preprocess` need.
        """
        for index, labels, features in self._job.reader.batches(samples, self._preprocess, BATCH):
            assert labels is not None
            if self._preprocess and self._job.classes:
                check_classes(labels, self._job.classes, "preprocess", self._ids(index))  # it may have changed them
            yield index, labels, features

    def identity(self, index: Array, labels: Array, features: Mapping[str, Array]) -> dict[str, Array]:
        """The columns that say which samples these are."""
        ids = np.array([name.encode() for name in self._ids(index)])
        return {"index": index, "id": ids, "fed": fed_digests(features, labels)}

    def measured(self, file: int, index: Array, features: Mapping[str, Array], labels: Array) -> dict[str, Array]:
        """What a file gives on the samples at `index`, as columns.

        Raises:
            FileFailed: it cannot be loaded or run, or gave an output that is not finite.
            DataError: its outputs are not what the metric needs.
        """
        outputs = self._outputs(file, features)
        bad = not_finite(outputs)
        if bad is not None:
            (sample,) = self._ids(index[bad[1] : bad[1] + 1])
            raise FileFailed(file, FailureKind.NOT_FINITE, f"{NOT_FINITE}: its output {bad[0]} for sample {sample}")
        columns = self._metric.columns(outputs, labels, features) | class_columns(self._metric, outputs, labels)
        return columns | ({"answer": answer_digests(outputs)} if self._job.compared else {})

    def _outputs(self, file: int, features: Mapping[str, Array]) -> dict[str, Array]:
        self._enter(file)
        try:
            if file not in self._models:
                self._models[file] = self._job.files[file].load(self._job.signature)
            outputs = self._models[file].predict(features)
        except Exception as error:
            raise FileFailed(file, kind_of(error), message_of(error), exhausted(error) is None) from error
        finally:
            self._enter(None)
        return outputs

    def _ids(self, index: Array) -> Sequence[str]:
        return [self._job.reader.dataset.ids[position] for position in index.tolist()]


def joined(parts: Sequence[dict[str, Array]]) -> dict[str, Array]:
    """The columns of all parts, one after the other."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
