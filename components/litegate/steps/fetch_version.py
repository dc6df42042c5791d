"""Step `fetch_version`: fetch the file of a registered version, with what it is."""

from __future__ import annotations

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from litegate.digest import digest_file
from litegate.errors import BadInput, StoreError
from litegate.records import RegisteredFile, VersionRequest
from litegate.tracking import models, registry, runs
from litegate.work.step_work import Work

__all__ = ["run"]


def run(request: VersionRequest, work: Work) -> RegisteredFile:
    """Download the file, and check it against the digest that the version records.

    Raises:
        BadInput: there is no such model or version, or litegate has not registered it.
        StoreError: MLflow holds other bytes than those that were judged.
    """
    client = runs.connect()
    version = _version(client, request)
    name, number = version.name, int(version.version)
    digest = version.tags.get(registry.DIGEST)
    if digest is None or version.tags.get(registry.STATE) != registry.PASSED:
        raise BadInput(f"{name} version {number}", "a version that litegate has registered", "one without its tags")
    path = models.stored_file(f"models:/{name}/{number}", work.folder)
    if (found := digest_file(path)) != digest:
        raise StoreError(f"{name} version {number}: its file is damaged: expected {digest}, got {found}")
    variant, run_id = registry.verdict_run(version)
    return RegisteredFile(
        registry=name,
        version=number,
        variant=variant,
        variants=tuple(sorted(registry.evidence_of(version))),
        aliases=tuple(sorted(version.aliases)),
        file=work.keep(path),
        verdict=version.tags.get(registry.SENTENCE, ""),
        mlflow_run=_page(client, run_id),
    )


def _version(client: MlflowClient, request: VersionRequest) -> ModelVersion:
    name = request.registry
    if request.version is not None:
        return _found(client, name, str(request.version))
    if request.alias is not None:
        return _behind(client, name, request.alias)
    versions = _versions(client, name)
    judged = {int(each.version): registry.evidence_of(each) for each in versions}
    numbers = [number for number, variants in judged.items() if request.variant in variants]
    if not numbers:
        known = sorted({variant for variants in judged.values() for variant in variants})
        raise BadInput(
            f"--variant of {name}", f"a variant that is registered: {', '.join(known)}", repr(request.variant)
        )
    return _found(client, name, str(max(numbers)))


def _found(client: MlflowClient, name: str, number: str) -> ModelVersion:
    try:
        return client.get_model_version(name, number)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
    known = ", ".join(sorted((each.version for each in _versions(client, name)), key=int))
    raise BadInput(f"--version of {name}", f"one of {known}", number)


def _behind(client: MlflowClient, name: str, alias: str) -> ModelVersion:
    try:
        return client.get_model_version_by_alias(name, alias)
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
    _versions(client, name)
    known = ", ".join(sorted(client.get_registered_model(name).aliases)) or "none so far"
    raise BadInput(f"--alias of {name}", f"an alias that a version has ({known})", repr(alias))


def _versions(client: MlflowClient, name: str) -> list[ModelVersion]:
    """All versions of a registered model.

    Raises:
        BadInput: it has none.
    """
    found = list(client.search_model_versions(f"name = '{name}'"))
    if not found:
        known = ", ".join(model.name for model in client.search_registered_models()) or "none so far"
        raise BadInput("MODEL", f"a registered model ({known})", repr(name))
    return found


def _page(client: MlflowClient, run_id: str | None) -> str:
    """The page of a run; empty where there is no run."""
    try:
        return runs.page(client.get_run(run_id)) if run_id else ""
    except MlflowException:
        return ""
