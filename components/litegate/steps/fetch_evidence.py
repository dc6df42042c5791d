"""Step `fetch_evidence`: fetch all that MLflow has about a version, for whoever checks it; nothing is checked here."""

from __future__ import annotations

from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from litegate.errors import BadInput, StoreError
from litegate.promotion import check_chain
from litegate.records import (
    EvidenceRequest,
    FileRef,
    LedgerEntry,
    RegisteredAlias,
    VersionEvidence,
    VersionRequest,
)
from litegate.tracking import models, notes, registry, runs
from litegate.tracking.finding import found_version
from litegate.tracking.ledger import Ledger
from litegate.work.step_work import Work

__all__ = ["run"]

_KEPT = (notes.STATEMENT, notes.BOM, notes.EVIDENCE, notes.VERDICT)


def run(request: EvidenceRequest, work: Work) -> VersionEvidence:
    """Download the file, the run's artifacts that are about it, and the ledger.

    Raises:
        BadInput: there is no such model or version, or litegate has not registered it.
    """
    client = runs.connect()
    by_alias = request.alias if request.version is None else None
    version = found_version(client, VersionRequest(registry=request.registry, version=request.version, alias=by_alias))
    name, number = version.name, int(version.version)
    if registry.DIGEST not in version.tags:
        raise BadInput(f"{name} version {number}", "a version that litegate has registered", "one without its tags")
    variant, run_id = registry.verdict_run(version)
    ledger = Ledger(client, RegisteredAlias(registry=name, alias=request.alias))
    entries, problem = _entries(ledger)
    return VersionEvidence(
        registry=name,
        version=number,
        variant=variant,
        tags=dict(version.tags),
        mlflow_run=run_id or "",
        file=_file(version, work),
        artifacts=_artifacts(client, run_id, work) if run_id else {},
        ledger=entries,
        ledger_problem=problem,
        ledger_head=ledger.signed_head(),
    )


def _file(version: ModelVersion, work: Work) -> FileRef | None:
    try:
        return work.keep(models.stored_file(f"models:/{version.name}/{version.version}", work.folder))
    except StoreError as error:
        work.say("%s", error)
        return None


def _artifacts(client: MlflowClient, run_id: str, work: Work) -> dict[str, FileRef]:
    """Those that there are, under the paths that they have in the run; none where the run is gone."""
    try:
        listed = {each.path for each in client.list_artifacts(run_id)}
        if notes.FIRMWARE in listed:
            listed |= {each.path for each in client.list_artifacts(run_id, notes.FIRMWARE)}
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return {}
    wanted = [path for path in sorted(listed) if path in _KEPT or path.startswith(f"{notes.FIRMWARE}/")]
    target = work.folder / "of_run"
    target.mkdir()
    return {path: work.keep(Path(client.download_artifacts(run_id, path, str(target))), path) for path in wanted}


def _entries(ledger: Ledger) -> tuple[tuple[LedgerEntry, ...], str]:
    """The entries, or why they cannot be believed; those of earlier pages are checked too."""
    try:
        entries = ledger.entries()
        check_chain(entries, ledger.where)
    except StoreError as error:
        return (), str(error)
    return entries, ""
