"""Point the registry's alias to a version that passed, once its stored bytes are proved to be the judged ones."""

from __future__ import annotations

from mlflow import MlflowClient

from litegate.errors import StoreError
from litegate.records import PromoteRequest, Promotion
from litegate.tracking import models, registry, runs
from litegate.work import Work

__all__ = ["run"]


def run(request: PromoteRequest, work: Work) -> Promotion:
    """Promote; where the alias is there already, nothing moves.

    Raises:
        StoreError: the version did not pass, is another file, or the alias does not hold.
    """
    client, version = runs.connect(), request.selected.version
    _check_verdict(client, request)
    _check_bytes(request, work)
    previous = registry.version_behind(client, request.registry, request.alias)
    if previous != version:
        registry.move_alias(client, request.registry, request.alias, version)
    work.say("%s of %s: version %s, before %s", request.alias, request.registry, version, previous)
    return Promotion(champion=request.selected, previous=previous, moved=previous != version)


def _check_verdict(client: MlflowClient, request: PromoteRequest) -> None:
    """The version's own tags say that this digest passed as this variant."""
    tags = client.get_model_version(request.registry, str(request.selected.version)).tags
    expected = {
        registry.STATE: registry.PASSED,
        registry.DIGEST: request.selected.digest,
        registry.VARIANT: request.selected.variant,
    }
    for key, value in expected.items():
        if tags.get(key) != value:
            where = f"{request.registry} version {request.selected.version}: tag {key}"
            raise StoreError(f"{where}: expected {value}, got {tags.get(key)}: it may not be promoted")


def _check_bytes(request: PromoteRequest, work: Work) -> None:
    uri = f"models:/{request.registry}/{request.selected.version}"
    stored = models.stored_digest(uri, work.folder)
    if stored != request.selected.digest:
        raise StoreError(f"{uri}: expected {request.selected.digest}, got {stored}: delete the version, register again")
