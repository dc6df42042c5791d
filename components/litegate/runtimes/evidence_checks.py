"""Whether evidence of a device is of a file and of samples: of these, all of them, and of no others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from litegate.errors import BadInput
from litegate.runtimes.device_evidence import OUTPUT, Evidence, few

__all__ = ["check_file", "check_outputs", "check_samples"]

Array = np.ndarray[Any, np.dtype[Any]]


class OfTensor(Protocol):
    """What is known of an output of a file."""

    @property
    def shape(self) -> tuple[int, ...]:
        """-1 where a dimension is free; the first one counts samples."""

    @property
    def dtype(self) -> Any:
        """As numpy takes it."""


def check_file(evidence: Evidence, digest: str, device: str) -> None:
    """Check that it is of this file and this device.

    Args:
        digest: SHA-256 of the .tflite file.

    Raises:
        BadInput: it is not.
    """
    if evidence.artifact != digest:
        raise BadInput(f"{evidence.source}: artifact", f"the digest of the file, {digest}", evidence.artifact)
    if evidence.device != device:
        raise BadInput(f"{evidence.source}: device", f"{device}, as the spec has it", evidence.device)


def check_outputs(evidence: Evidence, tensors: Mapping[str, OfTensor]) -> None:
    """Check that the outputs are those of the file, in its own types.

    Raises:
        BadInput: names, types or shapes are others.
    """
    source = evidence.source
    if set(evidence.outputs) != set(tensors):
        raise BadInput(f"{source}: outputs", ", ".join(sorted(tensors)), ", ".join(sorted(evidence.outputs)))
    for name, tensor in tensors.items():
        values, where = evidence.outputs[name], f"{source}: {OUTPUT}{name}"
        if values.dtype != np.dtype(tensor.dtype):
            raise BadInput(where, f"type {np.dtype(tensor.dtype)}, as the file gives it", str(values.dtype))
        own = tuple(tensor.shape[1:])
        fits = len(own) == values.ndim - 1 and all(a in (-1, b) for a, b in zip(own, values.shape[1:], strict=True))
        if not fits:
            raise BadInput(where, f"shape {(len(evidence.id), *own)}", str(values.shape))


def check_samples(evidence: Evidence, ids: Array, fed: Array) -> None:
    """Check that it has these samples, all of them, no others, in this order, and fed as they were given out.

    Args:
        ids, fed: (n,) as in `Evidence`.

    Raises:
        BadInput: it has not.
    """
    asked, got, source = ids.tolist(), evidence.id.tolist(), evidence.source
    missing, foreign = sorted(set(asked) - set(got)), sorted(set(got) - set(asked))
    if missing:
        raise BadInput(f"{source}: id", f"all {len(asked):,} samples", f"none of {few(missing)}")
    if foreign:
        raise BadInput(f"{source}: id", f"the {len(asked):,} samples that were given out", f"others: {few(foreign)}")
    for place, (wanted, found) in enumerate(zip(asked, got, strict=True)):
        if wanted != found:
            raise BadInput(f"{source}: id", f"the samples in their order, {few([wanted])} at {place:,}", few([found]))
    other = np.flatnonzero(evidence.fed != fed).tolist()
    if other:
        first = other[0]
        expected = f"{fed[first].decode()} for sample {few(asked[first : first + 1])}, as it was given out"
        raise BadInput(f"{source}: fed", expected, f"{evidence.fed[first].decode()} ({len(other):,} differ)")
