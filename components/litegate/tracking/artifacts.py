"""What is kept as files of a run or of a logged model, sent straight to where MLflow has them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

__all__ = ["Content", "upload", "upload_folder"]

Content = str | bytes | Path
"""A text, bytes, or a file whose bytes are copied."""


def upload(client: MlflowClient, run: Run, artifacts: Mapping[str, Content]) -> None:
    """Keep texts or bytes, and copies of files, as artifacts of a run.

    Args:
        artifacts: by the path that each is to have.
    """
    with tempfile.TemporaryDirectory() as folder:
        for name, content in artifacts.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, Path):
                shutil.copyfile(content, path)
            else:
                path.write_bytes(content if isinstance(content, bytes) else content.encode())
        upload_folder(client, run.info.artifact_uri, Path(folder))


def upload_folder(client: MlflowClient, uri: str, folder: Path) -> None:
    """Keep all files of a folder below a place of MLflow's; its client would first ask whose place it is."""
    get_artifact_repository(uri, tracking_uri=client.tracking_uri).log_artifacts(str(folder))
