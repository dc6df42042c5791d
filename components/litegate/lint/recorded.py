"""What a model gave before it became a .tflite file, as somebody has recorded it."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from litegate.datasets.archives import check_zip
from litegate.errors import DataError
from litegate.metrics.base import not_finite
from litegate.records import Signature

__all__ = ["RECORDED", "read_recorded"]

Array = np.ndarray[Any, np.dtype[Any]]
RECORDED = "model.recorded_outputs"
_DAMAGE = (OSError, ValueError, EOFError, zipfile.BadZipFile, NotImplementedError)


def read_recorded(path: Path, signature: Signature) -> tuple[dict[str, Array], dict[str, Array]]:
    """Inputs and outputs by name, arrays of shape (samples, ...), from an npz; nothing is unpickled.

    Raises:
        DataError: it is no npz, lacks an input or has no output, or has samples of other shapes or not finite values.
    """
    arrays = _read(path)
    missing = sorted(signature.inputs.keys() - arrays.keys())
    outputs = {name: arrays[name] for name in signature.outputs if name in arrays and name not in signature.inputs}
    if missing or not outputs:
        expected = f"an array for each input ({_names(signature.inputs)}) and for outputs ({_names(signature.outputs)})"
        raise DataError(RECORDED, expected, f"arrays named {_names(arrays)}")
    inputs = {name: arrays[name] for name in signature.inputs}
    lengths = {len(value) if value.ndim else 0 for value in (*inputs.values(), *outputs.values())}
    if len(lengths) != 1 or not min(lengths):
        raise DataError(RECORDED, "as many samples in each array, at least one", f"{sorted(lengths)}")
    bad = not_finite(inputs | outputs)
    if bad is not None:
        raise DataError(RECORDED, "finite numbers", f"NaN or infinity in {bad[0]}, sample {bad[1]}")
    return inputs, outputs


def _read(path: Path) -> dict[str, Array]:
    try:
        with zipfile.ZipFile(path) as archive:
            check_zip(archive, RECORDED)
        with np.load(path, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in arrays.files}
    except _DAMAGE as error:
        raise DataError(RECORDED, "an npz of plain arrays", f"{type(error).__name__}: {error}") from None
    for name, value in found.items():
        if not isinstance(value, np.ndarray):
            raise DataError(RECORDED, "an npz of plain arrays", f"{name}, which is none")
    return found


def _names(found: Any) -> str:
    names: Iterator[str] = iter(sorted(found))
    return ", ".join(names)
