"""Step `fetch_version`: fetch the file of a registered version, with what it is."""

from __future__ import annotations

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from litegate.digest import digest_file
from litegate.errors import BadInput, StoreError
from litegate.records import RegisteredFile, VersionRequest
from litegate.tracking import models, registry, runs
from litegate.tracking.finding import found_version
from litegate.work.step_work import Work

__all__ = ["run"]


def run(request: VersionRequest, work: Work) -> RegisteredFile:
    """Download the file, and check it against the digest that the version records.

    Raises:
        BadInput: there is no such model or version, or litegate has not registered it.
        StoreError: MLflow holds other bytes than those that were judged.
    """
    client = runs.connect()
    version = found_version(client, request)
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


def _page(client: MlflowClient, run_id: str | None) -> str:
    """The page of a run; empty where there is no run."""
    try:
        return runs.page(client.get_run(run_id)) if run_id else ""
    except MlflowException:
        return ""
