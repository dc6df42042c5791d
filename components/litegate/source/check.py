"""The one question before a model is loaded: may it be?"""

from __future__ import annotations

from pathlib import Path

from litegate.records import ModelRef
from litegate.source.kinds import MODEL_FILES, Format
from litegate.source.saved_model import check_saved_model

__all__ = ["check_model", "keras_path"]


def check_model(root: Path, form: Format, uri: str) -> None:
    """Look at a model's files without loading them. A .tflite file is for `litegate.inspection` to look at.

    Args:
        root: folder with the files under their own names.
        uri: the model's address, for messages.

    Raises:
        ModelError: the model is damaged, or would reach beyond itself as it is loaded.
    """
    where = f"model.uri {uri}"
    if form == "saved_model":
        check_saved_model(root, where)
    elif form != "tflite":
        from litegate.source.keras_file import check_keras_file  # and h5py, which a .tflite file does without

        check_keras_file(root / MODEL_FILES[form], where)


def keras_path(root: Path, model: ModelRef) -> Path:
    """The only file of a model that is one."""
    return root / MODEL_FILES[model.format]
