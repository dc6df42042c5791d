"""The calibration data, and which of them are the representative samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from litegate.datasets import Dataset, open_dataset
from litegate.datasets.sampling import choose_stratified
from litegate.records import Artifact, Chosen, DataRef, TensorSpec
from litegate.runtimes.litert import Tensor
from litegate.work.step_work import Work

__all__ = ["WHERE", "choose_samples", "identity_of", "open_calibration", "tensors"]

Array = np.ndarray[Any, np.dtype[Any]]
WHERE = "calibration.uri"


def open_calibration(
    data: DataRef, work: Work, inputs: Mapping[str, Mapping[str, Tensor]], key: str | None = None
) -> Dataset:
    """Index the calibration data, of which few samples are going to be read.

    Args:
        inputs: of each signature, by name.
        key: of the signature whose inputs are called by their names alone; the first if None.

    Raises:
        DataError: they cannot be read.
    """
    own = inputs[next(iter(inputs)) if key is None else key]
    others = {f"{each}/{name}": tensor for each, given in inputs.items() for name, tensor in given.items()}
    return open_dataset(data, work, WHERE, {**own, **others}, sparse=True)


def choose_samples(dataset: Dataset, count: int, seed: int) -> Array:
    """Positions of the representative samples, stratified by label where there are labels."""
    return choose_stratified(dataset.ids, dataset.labels, count, seed)


def identity_of(position: int, chosen: Chosen | None, count: int, float32: Artifact, work: Work) -> str:
    """Which of the calibration samples one of the `count` representative samples is.

    Args:
        position: among the representative samples.
        chosen: where they are from; None where that is not known.
        float32: the conversion, for its signatures.
    """
    if chosen is None or position >= count:
        return f"{position} of {count}"
    inputs = {key: tensors(each.inputs) for key, each in float32.signatures.items()}
    dataset = open_calibration(chosen.data, work, inputs)
    return dataset.ids[int(choose_samples(dataset, count, chosen.seed)[position])]


def tensors(specs: Mapping[str, TensorSpec]) -> dict[str, Tensor]:
    """Tensors of a float model, as their records say."""
    return {name: Tensor(spec.shape, np.dtype(spec.dtype), 0.0, 0) for name, spec in specs.items()}
