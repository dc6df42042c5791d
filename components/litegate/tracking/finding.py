"""Versions of registered models, found by what people call them; what is not there is told with what there is."""

from __future__ import annotations

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from litegate.errors import BadInput
from litegate.records import VersionRequest
from litegate.tracking import registry

__all__ = ["found_version"]


def found_version(client: MlflowClient, request: VersionRequest) -> ModelVersion:
    """The version that a request names.

    Raises:
        BadInput: there is no such model or version.
    """
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
