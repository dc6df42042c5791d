"""Aliases follow the ledger: they are set and read again until they agree with it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from litegate.errors import StoreError
from litegate.records import Aliases, RegisteredAlias

__all__ = ["follow", "found", "version_behind"]

TRIES = 8
# Two first writers of an alias collide as a 400, which MLflow's client does not repeat.
_BUSY = (400, 503)


def follow(client: MlflowClient, channel: RegisteredAlias, wanted: Callable[[], Aliases]) -> Aliases:
    """Set the three aliases until they are what `wanted` says, which is asked anew each time.

    Whoever writes an alias last looks again afterwards, so the last look of all finds them right, however many
    do this at once.

    Raises:
        StoreError: others keep moving them, or the server keeps refusing.
    """
    refused = ""
    for attempt in range(TRIES):
        target = wanted()
        names = {channel.alias: target.champion, channel.previous: target.previous, channel.candidate: target.candidate}
        wrong = [name for name, version in names.items() if version_behind(client, channel.registry, name) != version]
        if not wrong and wanted() == target:
            return target
        for name in wrong:
            refused = _set(client, channel.registry, name, names[name]) or refused
        if attempt:
            time.sleep(random.uniform(0.02, 0.1) * 2**attempt)
    raise StoreError(f"the aliases of {channel} do not stay where its ledger has them{refused}: reconcile it again")


def found(client: MlflowClient, channel: RegisteredAlias) -> Aliases:
    """Where the three aliases point to at this moment."""
    names = {"champion": channel.alias, "previous": channel.previous, "candidate": channel.candidate}
    return Aliases(**{role: version_behind(client, channel.registry, name) for role, name in names.items()})


def version_behind(client: MlflowClient, name: str, alias: str) -> int | None:
    """The version that an alias points to; None where there is no such alias or no such registered model."""
    try:
        return int(client.get_model_version_by_alias(name, alias).version)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


def _set(client: MlflowClient, name: str, alias: str, version: int | None) -> str:
    """Point an alias to a version, or take it away; returns why it was refused, if it was."""
    try:
        if version is None:
            client.delete_registered_model_alias(name, alias)
        else:
            client.set_registered_model_alias(name, alias, str(version))
    except MlflowException as error:
        if error.get_http_status_code() not in _BUSY:
            raise
        return f" ({error.message})"
    return ""
