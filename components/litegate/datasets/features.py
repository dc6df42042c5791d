"""From the samples of a dataset to batches that fit a signature: bind names, preprocess, check, stack."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from litegate.datasets import Dataset, InBlocks, Label
from litegate.errors import DataError
from litegate.runtimes.litert import Misfit, Tensor, check_features

__all__ = ["FeatureReader"]

Array = np.ndarray[Any, np.dtype[Any]]
Preprocess = Callable[[dict[str, Array], Label], tuple[Mapping[str, Array], Label]]
_Sample = tuple[int, Label, Mapping[str, Array]]
_Batch = tuple[Array, Array | None, dict[str, Array]]


@dataclass(frozen=True)
class FeatureReader:
    """Samples of `dataset` as the inputs of one signature; can be sent to other processes.

    Attributes:
        inputs: the signature's inputs, by name.
        signature: its key; an array `<key>/<name>` of the dataset belongs to it alone.
        where: the spec key that names the dataset, for messages.
        labelled: whether the batches are to have labels.
        longest: targets with fewer rows are filled up to this shape by rows of -1; None: all must be of one shape.
    """

    dataset: Dataset
    inputs: Mapping[str, Tensor]
    signature: str
    where: str
    labelled: bool = True
    longest: tuple[int, ...] | None = None

    def batches(
        self, indices: Sequence[int] | Array, preprocess: Preprocess | None, size: int = 32
    ) -> Iterator[_Batch]:
        """Indices, labels and features, `size` samples at a time.

        Labels are (n,) int64 classes or (n, ...) targets, and None where the dataset has none.

        Raises:
            DataError: a sample does not fit the signature, is not finite, or `preprocess` gives no sample.
        """
        if preprocess is None and isinstance(self.dataset, InBlocks):
            yield from (self._whole_block(*block) for block in self.dataset.blocks(indices, size))
            return
        waiting: list[_Sample] = []
        for index, features, label in self.dataset.read(indices):
            waiting.append((index, *self._sample(index, features, label, preprocess)))
            if len(waiting) == size:
                yield self._stack(waiting)
                waiting = []
        if waiting:
            yield self._stack(waiting)

    def _whole_block(self, index: Array, features: Mapping[str, Array], labels: Array | None) -> _Batch:
        bound = self._bind(features)
        self._check(bound, int(index[0]))
        for name, value in bound.items():
            self._refuse_not_finite(f"input {name!r}", value, index)
        if labels is not None:
            self._refuse_not_finite("label", labels, index)
        return index, labels, bound

    def _sample(
        self, index: int, features: Mapping[str, Array], label: Label, preprocess: Preprocess | None
    ) -> tuple[Label, Mapping[str, Array]]:
        bound = self._bind(features)
        if preprocess is None:
            bound = self._whole_numbers(bound)
        else:
            bound, label = self._preprocessed(preprocess, bound, label, f"sample {self.dataset.ids[index]}")
        self._check({name: value[np.newaxis] for name, value in bound.items()}, index, made=preprocess is not None)
        return label, bound

    def _check(self, features: Mapping[str, Array], index: int, made: bool = False) -> None:
        """Check the inputs of one sample, or of several that are alike; `made` by a `preprocess`."""
        try:
            check_features(features, self.inputs)
        except Misfit as error:
            sample = f"{self.where} (sample {self.dataset.ids[index]})"
            found = error.got + ("" if made else self._cure(features))
            raise DataError(sample, f"{error.what} to be {error.expected}", found) from None

    def _cure(self, features: Mapping[str, Array]) -> str:
        """What to do about samples that do not fit."""
        if set(features) != set(self.inputs):
            return "; `features` of the spec says which field feeds which input"
        for name, tensor in self.inputs.items():
            shape, found = tensor.shape[1:], features[name].shape[1:]
            if tensor.shape == found:
                return "; a model without a batch axis? Save it with one: tf.TensorSpec((None, ...))"
            if len(shape) == len(found) > 1 and shape != found and _fits(shape, (*found[1:], found[0])):
                return f"; channels first? Save np.moveaxis({name}, 1, -1), or name a `preprocess` that turns it"
        return "; save it so, or name a `preprocess` that makes it so"

    def _preprocessed(
        self, preprocess: Preprocess, features: dict[str, Array], label: Label, sample: str
    ) -> tuple[dict[str, Array], Label]:
        try:
            result = preprocess(features, label)
        except Exception as error:
            found = f"{type(error).__name__}: {error} for {sample}"
            raise DataError("preprocess", "a pair (features, label)", found) from error
        if not (isinstance(result, tuple) and len(result) == 2 and isinstance(result[0], Mapping)):
            found = f"{type(result).__name__} for {sample}"
            raise DataError("preprocess", "a pair (features, label) for one sample", found)
        arrays = {name: np.asarray(value) for name, value in result[0].items()}
        return arrays, _same_kind(label, result[1], sample)

    def _bind(self, features: Mapping[str, Array]) -> dict[str, Array]:
        """Arrays under the names of the inputs: own names, `<signature>/<name>`, or `arr_0`, `arr_1`, ..."""
        prefix = f"{self.signature}/"
        own = {name.removeprefix(prefix): value for name, value in features.items() if name.startswith(prefix)}
        features = own or dict(features)
        if set(features) != {f"arr_{position}" for position in range(len(features))}:
            return features
        names = sorted(self.inputs)
        if len(names) != len(features) or len({(t.shape, t.dtype) for t in self.inputs.values()}) != len(names):
            found = f"{len(features)} arrays without names, which could be swapped"
            raise DataError(self.where, f"arrays named {', '.join(names)}", found)
        return {name: features[f"arr_{position}"] for position, name in enumerate(names)}

    def _whole_numbers(self, features: dict[str, Array]) -> dict[str, Array]:
        """Decoded images hold whole numbers, so they may go to an integer input as they are."""
        if not self.dataset.classes:
            return features
        return {name: value.astype(self.inputs[name].real_dtype, copy=False) for name, value in features.items()}

    def _stack(self, samples: list[_Sample]) -> tuple[Array, Array | None, dict[str, Array]]:
        indices = np.array([sample[0] for sample in samples], np.int64)
        features = {name: self._one_array([sample[2][name] for sample in samples]) for name in samples[0][2]}
        for name, value in features.items():
            self._refuse_not_finite(f"input {name!r}", value, indices)
        return indices, self._labels([sample[1] for sample in samples], indices), features

    def _labels(self, labels: Sequence[Label], indices: Array) -> Array | None:
        given = [label for label in labels if label is not None]
        if not given or not self.labelled:
            return None
        if all(isinstance(label, int) for label in given):
            return np.array(given, np.int64)
        targets = self._one_array([self._filled(np.asarray(label)) for label in given], "targets")
        self._refuse_not_finite("label", targets, indices)
        return targets

    def _filled(self, target: Array) -> Array:
        """With rows of -1 after its own, where it is a shorter list than others."""
        longest = self.longest
        if longest is None or not target.ndim or len(target) >= longest[0]:
            return target
        if target.size and target.shape[1:] != longest[1:]:
            return target
        filled = np.full(longest, -1, np.result_type(target.dtype, np.int8))
        filled[: len(target)] = target.reshape(-1, *longest[1:])
        return filled

    def _one_array(self, values: Sequence[Array], what: str = "samples") -> Array:
        try:
            return np.stack(values)
        except ValueError:  # a dimension that the signature leaves free
            shapes = sorted({str(value.shape) for value in values})
            raise DataError(self.where, f"{what} of one shape", ", ".join(shapes)) from None

    def _refuse_not_finite(self, what: str, value: Array, indices: Array) -> None:
        if np.issubdtype(value.dtype, np.floating) and not np.isfinite(value).all():
            bad = indices[~np.isfinite(value).reshape(len(indices), -1).all(axis=1)][0]
            found = f"NaN or infinity in sample {self.dataset.ids[int(bad)]}"
            raise DataError(f"{self.where}: {what}", "finite numbers", found)


def _fits(shape: Sequence[int], found: Sequence[int]) -> bool:
    return all(own in (-1, other) for own, other in zip(shape, found, strict=True))


def _same_kind(given: Label, returned: Any, sample: str) -> Label:
    """The label that `preprocess` returned, as the dataset would have given it."""
    if given is None:
        if returned is not None:
            raise DataError("preprocess", "the label None, as the data has none", f"{returned!r:.100} for {sample}")
        return None
    if isinstance(given, int):
        label = np.asarray(returned)
        if label.dtype.kind not in "iu" or label.size != 1:
            raise DataError("preprocess", "an integer label", f"{returned!r:.100} for {sample}")
        return int(label.item())
    target = np.asarray(returned)
    if target.dtype.kind not in "biuf":
        raise DataError("preprocess", "a label of numbers, as the data has", f"{returned!r:.100} for {sample}")
    return target
