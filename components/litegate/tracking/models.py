"""Logged models: a .tflite with everything that a consumer needs to run it, and its digest read back."""

from __future__ import annotations

import tempfile
from pathlib import Path

import mlflow.artifacts
from mlflow import MlflowClient
from mlflow.entities import LoggedModel, LoggedModelOutput, LoggedModelStatus, Run
from mlflow.models import Model

from litegate import flavor, records
from litegate.digest import digest_file
from litegate.errors import StoreError

__all__ = [
    "artifact_uri",
    "ensure_model",
    "logged_model",
    "name_output",
    "stored_content",
    "stored_digest",
    "stored_file",
]


def ensure_model(
    client: MlflowClient,
    run: Run,
    file: Path,
    signature: tuple[str, records.Signature],
    params: dict[str, str],
    tags: dict[str, str],
) -> LoggedModel:
    """The run's logged model, ready; an upload that was cut short is taken up again.

    Args:
        file: the .tflite under the name that it has for its users.
        signature: the one to run, with its key.
    """
    model = logged_model(client, run) or client.create_logged_model(
        run.info.experiment_id, file.stem.replace(".", "-"), run.info.run_id, tags, params, flavor.FLAVOR_NAME
    )
    name_output(client, run, model.model_id)
    if model.status != LoggedModelStatus.READY:
        with tempfile.TemporaryDirectory(dir=file.parent) as folder:
            _save(Path(folder, "model"), file, signature, model, run)
            client.log_model_artifacts(model.model_id, str(Path(folder, "model")))
        model = client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
    return model


def logged_model(client: MlflowClient, run: Run) -> LoggedModel | None:
    """The logged model of a run, if it has one; the first, where an upload was repeated."""
    found = client.search_logged_models([run.info.experiment_id], f"source_run_id = '{run.info.run_id}'")
    return min(found, key=lambda model: (model.creation_timestamp, model.model_id), default=None)


def name_output(client: MlflowClient, run: Run, model_id: str) -> None:
    """Show a logged model as what a run made, once."""
    if model_id not in _outputs(client.get_run(run.info.run_id)):
        client.log_outputs(run.info.run_id, [LoggedModelOutput(model_id, step=0)])


def artifact_uri(model: LoggedModel, file_name: str) -> str:
    """Where `mlflow artifacts download --artifact-uri` finds the .tflite alone."""
    return f"{model.artifact_location.rstrip('/')}/artifacts/{file_name}"


def stored_digest(uri: str, folder: Path) -> str:
    """SHA-256 of the .tflite that MLflow has stored under a model's URI, downloaded afresh.

    Raises:
        StoreError: there is not exactly one.
    """
    with tempfile.TemporaryDirectory(dir=folder) as target:
        return digest_file(stored_file(uri, Path(target)))


def stored_content(uri: str, folder: Path) -> bytes:
    """The bytes of that .tflite.

    Raises:
        StoreError: there is not exactly one.
    """
    with tempfile.TemporaryDirectory(dir=folder) as target:
        return stored_file(uri, Path(target)).read_bytes()


def stored_file(uri: str, folder: Path) -> Path:
    """The .tflite that MLflow has stored under a model's URI, downloaded afresh to below `folder`.

    Raises:
        StoreError: there is not exactly one.
    """
    root = Path(mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=str(folder)))
    files = sorted(root.glob("artifacts/*.tflite"))
    if len(files) != 1:
        raise StoreError(f"{uri}: expected one .tflite, got {len(files)}: register the run again")
    return files[0]


def _outputs(run: Run) -> set[str]:
    return {output.model_id for output in run.outputs.model_outputs} if run.outputs else set()


def _save(folder: Path, file: Path, signature: tuple[str, records.Signature], logged: LoggedModel, run: Run) -> None:
    key, tensors = signature
    model = Model(
        artifact_path=logged.artifact_location,
        run_id=run.info.run_id,
        model_uuid=logged.model_id,
        model_id=logged.model_id,
        metadata=dict(logged.params),
    )
    flavor.save_model(file, folder, key, tensors=tensors, mlflow_model=model)
