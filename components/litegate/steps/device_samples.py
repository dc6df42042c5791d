"""Step `device_samples`: the samples of an evaluation as a real device is to be fed them, in one file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from litegate.datasets import Dataset, in_reading_order, open_dataset
from litegate.datasets.features import FeatureReader
from litegate.errors import DataError
from litegate.evaluation.order import target_order
from litegate.progress import Progress
from litegate.records import DeviceSamples, DeviceSamplesRequest
from litegate.runtimes.device_evidence import FORMAT, fed_digests
from litegate.runtimes.litert import LiteRTModel
from litegate.user_code.source import load_preprocess
from litegate.work.step_work import Work

__all__ = ["run"]

Array = np.ndarray[Any, np.dtype[Any]]
_WHERE = "evaluation.uri"


def run(request: DeviceSamplesRequest, work: Work) -> DeviceSamples:
    """Read and preprocess the samples as the evaluation does, and keep what each feeds.

    Raises:
        DataError: the data cannot be read or do not fit the model.
    """
    model = LiteRTModel(work.path(request.artifact.file).read_bytes(), request.signature)
    dataset = open_dataset(request.data, work, _WHERE, model.inputs)
    order = in_reading_order(dataset, _order(request, dataset))
    reader = FeatureReader(dataset, model.inputs, model.signature, _WHERE, labelled=False)
    progress = Progress(work.say, "device_samples", len(order))
    columns = _Columns(work.folder, len(order))
    for index, _, features in reader.batches(order, load_preprocess(request.preprocess)):
        columns.add([dataset.ids[position].encode() for position in index.tolist()], features)
        progress.add(len(index))
    path = work.folder / "samples.npz"
    np.savez(path, allow_pickle=False, format=np.int64(FORMAT), signature=np.str_(model.signature), **columns.arrays())
    work.say("device_samples: %s samples for a device", f"{len(order):,}")
    return DeviceSamples(file=work.keep(path), samples=len(order), signature=model.signature)


def _order(request: DeviceSamplesRequest, dataset: Dataset) -> Array:
    """Every sample that any of the choices holds."""
    return np.unique(np.concatenate([np.asarray(target_order(choice, dataset)) for choice in request.choices]))


class _Columns:
    """What is written, an array for each input on disk: samples need more room than memory has."""

    def __init__(self, folder: Path, size: int) -> None:
        self._folder, self._size = folder, size
        self._ids: list[bytes] = []
        self._fed: list[Array] = []
        self._inputs: dict[str, Array] = {}

    def add(self, ids: list[bytes], features: dict[str, Array]) -> None:
        """Samples that follow those before.

        Raises:
            DataError: they have another shape.
        """
        start = len(self._ids)
        for name, values in features.items():
            column = self._column(name, values)
            if column.shape[1:] != values.shape[1:]:
                raise DataError(
                    f"{_WHERE}: input {name!r}", f"samples of shape {column.shape[1:]}", str(values.shape[1:])
                )
            column[start : start + len(ids)] = values
        self._ids += ids
        self._fed.append(fed_digests(features))

    def arrays(self) -> dict[str, Array]:
        """All of them, by their names in the file."""
        return {"id": np.array(self._ids), "fed": np.concatenate(self._fed)} | dict(self._named())

    def _named(self) -> Iterator[tuple[str, Array]]:
        return ((f"input/{name}", column) for name, column in self._inputs.items())

    def _column(self, name: str, values: Array) -> Array:
        if name not in self._inputs:
            path, shape = self._folder / f"input-{len(self._inputs)}.npy", (self._size, *values.shape[1:])
            self._inputs[name] = np.lib.format.open_memmap(path, "w+", values.dtype, shape)
        return self._inputs[name]
