"""Logged models: a .tflite with everything that a consumer needs to run it, and its digest read back."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import LoggedModel, LoggedModelOutput, LoggedModelStatus, Run
from mlflow.models import Model
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from litegate import flavor, records
from litegate.digest import digest_file
from litegate.errors import StoreError
from litegate.tracking import artifacts, registry

__all__ = [
    "artifact_uri",
    "ensure_model",
    "logged_model",
    "name_output",
    "stored_content",
    "stored_digest",
    "stored_file",
]

PACKAGE = "package_sha256"
"""Parameter of a logged model that other runs may share: the digest of all that travels with its .tflite."""


def ensure_model(
    client: MlflowClient,
    run: Run,
    file: Path,
    signature: tuple[str, records.Signature],
    params: dict[str, str],
    tags: dict[str, str],
    shared: bool = True,
) -> LoggedModel:
    """The run's logged model, ready; an upload that was cut short is taken up again.

    Args:
        file: the .tflite under the name that it has for its users.
        signature: the one to run, with its key.
        shared: whether another run's model will do if MLflow holds the same file in it: nothing is uploaded then.
    """
    params = params | {registry.DIGEST: digest_file(file)}
    if shared:
        params |= {PACKAGE: flavor.package_digest(file.name, *signature)}
    model = _same(client, run, params, file.parent) if shared else logged_model(client, run)
    if model is None:
        model = client.create_logged_model(
            run.info.experiment_id, file.stem.replace(".", "-"), run.info.run_id, tags, params, flavor.FLAVOR_NAME
        )
    elif changed := {name: value for name, value in tags.items() if model.tags.get(name) != value}:
        client.set_logged_model_tags(model.model_id, changed)
    name_output(client, run, model.model_id)
    if model.status != LoggedModelStatus.READY:
        with tempfile.TemporaryDirectory(dir=file.parent) as folder:
            _save(Path(folder, "model"), file, signature, model, run)
            artifacts.upload_folder(client, model.artifact_location, Path(folder, "model"))
        model = client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
    return model


def logged_model(client: MlflowClient, run: Run) -> LoggedModel | None:
    """The logged model of a run, if it has one; the first, where an upload was repeated."""
    if named := sorted(_outputs(run)):
        return client.get_logged_model(named[0])
    return next(_found(client, run, f"source_run_id = '{run.info.run_id}'"), None)


def name_output(client: MlflowClient, run: Run, model_id: str) -> None:
    """Show a logged model as what a run made, once.

    Args:
        run: as it was found, or created by us.
    """
    if model_id not in _outputs(run):
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
    repository = get_artifact_repository(uri)
    files = [item.path for item in repository.list_artifacts("artifacts") if item.path.endswith(".tflite")]
    if len(files) != 1:
        raise StoreError(f"{uri}: expected one .tflite, got {len(files)}: register the run again")
    return Path(repository.download_artifacts(files[0], str(folder)))


def _outputs(run: Run) -> set[str]:
    return {output.model_id for output in run.outputs.model_outputs} if run.outputs else set()


def _same(client: MlflowClient, run: Run, params: dict[str, str], folder: Path) -> LoggedModel | None:
    """A logged model of the same file in the same package: the run's own, or another's that is whole."""
    wanted = " AND ".join(f"params.`{name}` = '{params[name]}'" for name in (PACKAGE, registry.DIGEST))
    found = list(_found(client, run, wanted))
    own = [model for model in found if model.source_run_id == run.info.run_id]
    whole = [model for model in found if model.status == LoggedModelStatus.READY]
    with suppress(StoreError):  # somebody has removed its file
        if not own and whole and stored_digest(whole[0].artifact_location, folder) == params[registry.DIGEST]:
            return whole[0]
    return next(iter(own), None)


def _found(client: MlflowClient, run: Run, wanted: str) -> Iterator[LoggedModel]:
    """Logged models of the run's experiment, the first one first."""
    found = client.search_logged_models([run.info.experiment_id], wanted)
    yield from sorted(found, key=lambda model: (model.creation_timestamp, model.model_id))


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
