"""How large a model may be. What lies beyond is refused before it is read."""

from __future__ import annotations

import os

from litegate.errors import ModelError, SpecError

__all__ = ["MAX_CONFIG_BYTES", "MAX_FILES", "MAX_MODEL_BYTES", "check_bounds", "max_model_bytes"]

MAX_MODEL_BYTES = 4 << 30
"""All files of a model together; `LITEGATE_MAX_MODEL_BYTES` overrides it. A .tflite file ends at 2 GiB."""

MAX_FILES = 2_000
"""Files of a SavedModel, or members of a `.keras` archive."""

MAX_CONFIG_BYTES = 64 << 20
"""The architecture of a Keras model as JSON."""


def max_model_bytes() -> int:
    """The limit in force.

    Raises:
        SpecError: the environment variable is not a number.
    """
    name = "LITEGATE_MAX_MODEL_BYTES"
    text = os.environ.get(name, str(MAX_MODEL_BYTES))
    if not text.isdigit():
        raise SpecError(name, "a number of bytes", repr(text))
    return int(text)


def check_bounds(files: int, total: int, where: str) -> None:
    """Check a number of files and of bytes.

    Raises:
        ModelError: there are too many.
    """
    if files > MAX_FILES:
        raise ModelError(where, f"at most {MAX_FILES:,} files", f"{files:,}")
    limit = max_model_bytes()
    if total > limit:
        raise ModelError(where, f"at most {limit:,} bytes (LITEGATE_MAX_MODEL_BYTES)", f"{total:,}")
