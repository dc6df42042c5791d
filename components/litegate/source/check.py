"""The one question before a model is loaded: may it be?"""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

from litegate.records import ModelRef
from litegate.source.keras_file import check_keras_file
from litegate.source.saved_model import check_saved_model

__all__ = ["MODEL_FILES", "check_model", "keras_path"]

MODEL_FILES = MappingProxyType({"keras": "model.keras", "h5": "model.h5"})
"""What the only file of a model is called here, whatever its name was: Keras goes by the ending."""


def check_model(root: Path, model: ModelRef) -> None:
    """Look at a model's files without loading them.

    Args:
        root: folder with the files under their own names.

    Raises:
        ModelError: the model is damaged, or would reach beyond itself as it is loaded.
    """
    where = f"model.uri {model.uri}"
    if model.format == "saved_model":
        check_saved_model(root, where)
    else:
        check_keras_file(keras_path(root, model), where)


def keras_path(root: Path, model: ModelRef) -> Path:
    """The only file of a Keras model."""
    return root / MODEL_FILES[model.format]
