"""What artifacts gave on each sample, as columns, and two of them matched sample by sample."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["Outcomes", "Unpaired", "match"]

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Outcomes:
    """Columns of equal length, a row for each sample.

    Attributes:
        index: position in the dataset, int64, unique.
        id: identity, UTF-8 bytes.
        score: value of the metric for the sample, for metrics of single samples.
        output, target: what a metric of a whole set is computed from, else None.
        label, prediction: class by the data and by the model, int64, where the model is a classifier.
        fed: digest of what was really fed, the preprocessed inputs and the label, bytes of equal length; None where
            an older evaluation kept none.
        group: value of the field that names the cluster of each sample, UTF-8 bytes; None where the spec names none.
        slices: values of the fields of slices, UTF-8 bytes of shape (samples, fields) in the order of the fields'
            names; None where the spec names none.
        answer: digest of all outputs, bytes of equal length; None where nothing else ran the same file.
    """

    index: Array
    id: Array
    score: Array | None = None
    output: Array | None = None
    target: Array | None = None
    label: Array | None = None
    prediction: Array | None = None
    fed: Array | None = None
    group: Array | None = None
    slices: Array | None = None
    answer: Array | None = None

    def __len__(self) -> int:
        return len(self.index)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Of all columns that there may be, as they follow each other in a file."""
        return tuple(field.name for field in fields(cls))

    def take(self, rows: Array) -> Outcomes:
        """The given rows, in their order."""
        return Outcomes(**{name: column[rows] for name, column in self._columns().items()})

    def to_bytes(self) -> bytes:
        """The columns as a compressed npz."""
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **self._columns())
        return buffer.getvalue()

    @classmethod
    def read(cls, path: Path) -> Outcomes:
        """Read what `to_bytes` wrote; nothing is unpickled."""
        with np.load(path, allow_pickle=False) as arrays:
            return cls(**{name: arrays[name] for name in arrays.files})

    @classmethod
    def concatenate(cls, parts: Sequence[Outcomes]) -> Outcomes:
        """The rows of all parts; every part has the same columns."""
        names = parts[0]._columns()
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})

    def _columns(self) -> dict[str, Array]:
        columns = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: column for name, column in columns if column is not None}


class Unpaired(ValueError):
    """Two artifacts were not measured on the same samples."""


def match(reference: Outcomes, candidate: Outcomes) -> tuple[Outcomes, Outcomes]:
    """The rows of the samples that the candidate saw, of both, in the same order.

    Raises:
        Unpaired: a sample was evaluated twice, was not evaluated on the reference, is not the same sample, or fed
            other values to the two.
    """
    for outcomes in (reference, candidate):
        if not _rises(outcomes.index) and not _rises(np.sort(outcomes.index)):
            raise Unpaired("a sample was evaluated twice")
    if not np.array_equal(candidate.index, reference.index):
        candidate, reference = _common(candidate, reference)
    differ = np.flatnonzero(candidate.id != reference.id)
    if len(differ):
        one, other = (outcomes.id[differ[0]].decode(errors="replace") for outcomes in (reference, candidate))
        raise Unpaired(f"{len(differ):,} samples have other identities, such as {one!r} and {other!r}")
    _check_fed(reference, candidate)
    return reference, candidate


def _rises(index: Array) -> bool:
    """Whether each number is larger than the one before."""
    return bool(np.all(index[1:] > index[:-1]))


def _check_fed(reference: Outcomes, candidate: Outcomes) -> None:
    """The same sample by name is only a pair if it was the same by value too."""
    if reference.fed is None and candidate.fed is None:
        return
    remedy = "clear the evaluation of both, and see that `preprocess` depends on nothing but the sample"
    if reference.fed is None or candidate.fed is None:
        raise Unpaired(f"one of the two evaluations does not say which values it was fed: {remedy}")
    differ = np.flatnonzero(candidate.fed != reference.fed)
    if len(differ):
        one = reference.id[differ[0]].decode(errors="replace")
        found = f"{len(differ):,} of {len(candidate):,} samples, such as {one!r}, had other inputs or another label"
        raise Unpaired(f"{found} there: {remedy}")


def _common(candidate: Outcomes, reference: Outcomes) -> tuple[Outcomes, Outcomes]:
    """Both in the order of the index, and of the reference only what the candidate saw."""
    _, ours, theirs = np.intersect1d(candidate.index, reference.index, assume_unique=True, return_indices=True)
    if len(ours) != len(candidate):
        missing = len(candidate) - len(ours)
        raise Unpaired(f"{missing:,} of {len(candidate):,} samples were not evaluated there")
    return candidate.take(ours), reference.take(theirs)
