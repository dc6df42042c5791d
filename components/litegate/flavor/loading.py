"""Load a logged .tflite file as it is, without the code that was logged beside it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import mlflow.artifacts
from mlflow.exceptions import MlflowException
from mlflow.models import Model

from litegate.digest import digest_bytes
from litegate.errors import BadInput, StoreError
from litegate.flavor.saving import FLAVOR_NAME
from litegate.runtimes.litert import LiteRTModel

__all__ = ["load_model"]


def load_model(model_uri: str, signature_key: str | None = None, num_threads: int | None = None) -> LiteRTModel:
    """The model behind any URI that MLflow knows: `models:/name@champion`, `runs:/...`, a folder.

    It takes and gives real values, or with `predict(features, raw=True)` what the file holds. Use it from one
    thread at a time. Nothing that was logged is executed but the .tflite file itself.

    Args:
        signature_key: another signature than the one that was logged.
        num_threads: another number than the one that was logged.

    Raises:
        BadInput: it was not logged with this flavor.
        StoreError: the file is not the one that was logged.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(mlflow.artifacts.download_artifacts(artifact_uri=model_uri, dst_path=folder))
        facts = _facts(model_uri, root)
        content = (root / facts["data"]).read_bytes()
    if digest_bytes(content) != facts["tflite_sha256"]:
        raise StoreError(f"{model_uri}: expected {facts['tflite_sha256']}, got {digest_bytes(content)}: log it again")
    return LiteRTModel(content, signature_key or facts["signature_key"], num_threads or facts["num_threads"])


def _facts(model_uri: str, root: Path) -> dict[str, Any]:
    try:
        flavors = Model.load(root).flavors
    except MlflowException as error:
        raise BadInput(model_uri, "an MLflow model", str(error)) from error
    if FLAVOR_NAME not in flavors:
        raise BadInput(model_uri, f"the flavor {FLAVOR_NAME}", ", ".join(sorted(flavors)))
    facts: dict[str, Any] = flavors[FLAVOR_NAME]
    return facts
