"""What kind of model a file is, by its first bytes: people rename files, and Keras itself goes by the name alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from litegate.digest import digest_tree
from litegate.errors import ModelError
from litegate.records import FileRef

__all__ = ["KINDS", "MODEL_FILES", "Format", "file_format", "model_digest"]

KINDS = "a SavedModel directory, a .keras, a .h5 or a float32 .tflite file"
Format = Literal["saved_model", "keras", "h5", "tflite"]
_MAGIC: MappingProxyType[bytes, Format] = MappingProxyType({b"\x89HDF": "h5", b"PK\x03\x04": "keras"})

MODEL_FILES = MappingProxyType({"keras": "model.keras", "h5": "model.h5", "tflite": "model.tflite"})
"""What the only file of a model is called here, whatever its name was: Keras goes by the ending."""


def file_format(path: Path, where: str) -> Format:
    """The format of a model that is one file.

    Args:
        where: the spec key and the URI, for messages.

    Raises:
        ModelError: it is none; the message says what it is, where that is a common mistake.
    """
    with path.open("rb") as file:
        head = file.read(512)
    form = "tflite" if head[4:8] == b"TFL3" else _MAGIC.get(head[:4])
    if form is None:
        raise ModelError(where, KINDS, _what_else(head))
    return form


def model_digest(form: Format, files: Sequence[FileRef]) -> str:
    """What identifies a model: SHA-256 of a model that is one file, or `digest_tree` of a SavedModel's files."""
    return digest_tree((ref.name, ref.digest) for ref in files) if form == "saved_model" else files[0].digest


def _what_else(head: bytes) -> str:
    """What people give in place of a model, by its first bytes."""
    if head[257:262] == b"ustar" or head[:2] == b"\x1f\x8b":
        return "a tar archive: unpack it, and name the folder"
    if head[:1] == b"\x80" and head[1:2] <= b"\x05":
        return "a pickle, which is never loaded"
    return f"a file of {head[:4]!r}..." if head else "an empty file"
