"""The arrays of an npz file that anybody may have written: sizes are checked before anything is allocated."""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from litegate.errors import BadInput

__all__ = ["arrays_of"]

Array = np.ndarray[Any, np.dtype[Any]]

_MOST_BYTES = 1 << 30
_DAMAGE = (OSError, ValueError, EOFError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error)


def arrays_of(path: Path, source: str) -> dict[str, Array]:
    """All arrays of an npz by name, none larger than it says, and together within bounds.

    Args:
        source: what messages call the file.

    Raises:
        BadInput: it is no npz, is damaged or too large, or holds something else than numbers and texts.
    """
    found: dict[str, Array] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            total = sum(info.file_size for info in infos)
            if total > _MOST_BYTES:
                raise BadInput(source, f"at most {_MOST_BYTES:,} bytes when unpacked", f"{total:,}")
            for info in infos:
                name = info.filename.removesuffix(".npy")
                if name in found:
                    raise BadInput(source, "each array once", f"{name} twice")
                with archive.open(info) as file:
                    found[name] = _array(file, info.file_size, f"{source}: {name}")
    except _DAMAGE as error:
        raise BadInput(source, "an npz file, as numpy.savez writes it", " ".join(str(error).split())[:300]) from None
    return found


def _array(file: IO[bytes], size: int, where: str) -> Array:
    """An array whose header says what there is."""
    content = io.BytesIO(file.read(size))
    major, _ = npy.read_magic(content)
    shape, fortran, dtype = (npy.read_array_header_1_0 if major == 1 else npy.read_array_header_2_0)(content)
    if dtype.kind not in "biufSU":
        raise BadInput(where, "numbers or text", f"an array of {dtype}")
    left = size - content.tell()
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != left:
        raise BadInput(where, f"the bytes of an array of shape {shape} and type {dtype}", f"{left:,} bytes")
    values = np.frombuffer(content.getbuffer()[content.tell() :], dtype)
    return values.reshape(shape, order="F" if fortran else "C")
