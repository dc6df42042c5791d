"""Outcomes as a file, a part of a column at a time."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

__all__ = ["Column", "write_columns"]

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Column:
    """An array that comes in parts.

    Attributes:
        shape: of the whole.
        parts: along the first axis.
    """

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    parts: Iterable[Array]


def write_columns(path: Path, columns: Mapping[str, Column]) -> None:
    """Write a compressed npz, to the byte what `numpy.savez_compressed` makes of the whole columns."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, column in columns.items():
            header = {"descr": npy.dtype_to_descr(column.dtype), "fortran_order": False, "shape": column.shape}
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                npy.write_array_header_1_0(file, header)
                for part in column.parts:
                    file.write(np.ascontiguousarray(part).data)
