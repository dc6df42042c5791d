"""The registry: one version per .tflite digest, and the alias that follows what was promoted."""

from __future__ import annotations

import time
from contextlib import suppress

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from litegate.errors import StoreError

__all__ = ["DIGEST", "PASSED", "STATE", "VARIANT", "ensure_version", "introduce", "move_alias", "version_behind"]

STATE, PASSED = "gate.state", "passed"
DIGEST, VARIANT = "tflite_sha256", "variant"
DESCRIPTION_LIMIT = 5000
TRIES = 6


def ensure_version(
    client: MlflowClient, name: str, model_id: str, run_id: str, tags: dict[str, str], description: str
) -> int:
    """The version with the digest that `tags` names, created where there is none.

    A version that is there already gets the newest evidence, but keeps its `gate.state`: what somebody
    revoked stays revoked.
    """
    if not _versions(client, name, tags[DIGEST]):
        _create(client, name, model_id, run_id, tags)
    version = _versions(client, name, tags[DIGEST])[0]
    for key, value in tags.items():
        if key != STATE and version.tags.get(key) != value:
            client.set_model_version_tag(name, version.version, key, value)
    if version.description != description[:DESCRIPTION_LIMIT]:
        client.update_model_version(name, version.version, description[:DESCRIPTION_LIMIT])
    return int(version.version)


def introduce(client: MlflowClient, name: str, card: str) -> None:
    """Describe a registered model that nobody has described yet."""
    if not client.get_registered_model(name).description:
        client.update_registered_model(name, card)


def version_behind(client: MlflowClient, name: str, alias: str) -> int | None:
    """The version that an alias points to; None where there is no such alias or no such registered model."""
    try:
        found = client.get_registered_model(name).aliases.get(alias)
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return None
        raise
    return None if found is None else int(found)


def move_alias(client: MlflowClient, name: str, alias: str, version: int) -> None:
    """Point `alias` to `version` and read it back until it holds.

    Raises:
        StoreError: it does not hold, because others keep moving it or the server keeps refusing.
    """
    refused = ""
    for attempt in range(TRIES):
        try:
            client.set_registered_model_alias(name, alias, str(version))
        except MlflowException as error:
            # Two first writers of an alias collide as a 400, which MLflow's client does not repeat.
            if error.get_http_status_code() not in (400, 503):
                raise
            refused = f": {error.message}"
        if version_behind(client, name, alias) == version:
            return
        time.sleep(0.1 * 2**attempt)
    raise StoreError(f"alias {alias} of {name} does not stay on version {version}{refused}: promote again")


def _create(client: MlflowClient, name: str, model_id: str, run_id: str, tags: dict[str, str]) -> None:
    with suppress(MlflowException):  # it exists, or creating the version says what is wrong
        client.create_registered_model(name)
    created = client.create_model_version(
        name, f"models:/{model_id}", run_id, tags, await_creation_for=0, model_id=model_id
    )
    # Two at once, or a request that the client repeated: the lowest stays, each removes its own.
    if _versions(client, name, tags[DIGEST])[0].version != created.version:
        client.delete_model_version(name, created.version)


def _versions(client: MlflowClient, name: str, digest: str) -> list[ModelVersion]:
    found = client.search_model_versions(f"name = '{name}' and tags.{DIGEST} = '{digest}'")
    return sorted(found, key=lambda version: int(version.version))
