"""Which bytes of the workspace MLflow still refers to: those of registered versions, and those of the ledgers."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Run, ViewType
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from litegate.digest import digest_json
from litegate.errors import StoreError
from litegate.tracking import ledger, registry, runs

__all__ = ["Needed", "needed_digests"]

_DIGEST = re.compile(r"\b[0-9a-f]{64}\b")
_PAGE = 1000


class Needed:
    """Digests of files that must stay.

    Attributes:
        promotable: the files of the registered versions themselves, the newest first.
        registered: all that a registered version and the runs behind it mention.
        ledger: all that the entries of the ledgers mention.
    """

    def __init__(self) -> None:
        self.promotable: list[str] = []
        self.registered: set[str] = set()
        self.ledger: set[str] = set()


def needed_digests(client: MlflowClient, folder: Path, say: Callable[[str], None]) -> Needed:
    """Read all versions of all registered models, the runs behind them, and all ledgers.

    Args:
        folder: where files may be downloaded to.
        say: is told how far it came.

    Raises:
        StoreError: something cannot be read, so that nobody knows what is needed.
    """
    try:
        return _read(client, folder, say)
    except (MlflowException, OSError, ValueError, KeyError) as error:
        said = f"{type(error).__name__}: {str(error)[:500]}"
        raise StoreError(f"MLflow cannot be read to the end, so nothing is deleted: {said}") from error


def _read(client: MlflowClient, folder: Path, say: Callable[[str], None]) -> Needed:
    needed, behind = Needed(), set[str]()
    for count, version in enumerate(_versions(client), 1):
        needed.registered |= _digests(version.tags.values())
        if digest := version.tags.get(registry.DIGEST):
            needed.promotable.append(digest)
        for run in _runs_behind(client, version):
            if run.info.run_id not in behind:
                behind.add(run.info.run_id)
                needed.registered |= _digests(run.data.tags.values()) | _files_of(client, run, folder)
        if count % 100 == 0:
            say(f"{count:,} registered versions read")
    for run in _ledgers(client):
        needed.ledger |= _digests(run.data.params.values())
    return needed


def _versions(client: MlflowClient) -> Iterator[ModelVersion]:
    return _paged(
        lambda token: client.search_model_versions(
            max_results=_PAGE, order_by=["creation_timestamp DESC"], page_token=token
        )
    )


def _runs_behind(client: MlflowClient, version: ModelVersion) -> Iterator[Run]:
    """The pipeline runs that found the version first and last, and those with its verdicts; purged ones are no more."""
    named = dict.fromkeys((version.run_id, *registry.evidence_of(version).values()))
    children = [child for run_id in named if (child := _run(client, run_id)) is not None]
    for child in children:
        parent = _run(client, child.data.tags.get("mlflow.parentRunId"))
        if parent is not None:
            yield parent
    if children and (key := version.tags.get(runs.RUN_KEY)):
        wanted = f"tags.`{runs.GROUP}` = '{digest_json(key)[:16]}'"
        for run in _runs(client, children[0].info.experiment_id, wanted):
            if "mlflow.parentRunId" not in run.data.tags:
                yield run


def _run(client: MlflowClient, run_id: str | None) -> Run | None:
    if not run_id:
        return None
    try:
        return client.get_run(run_id)
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return None
        raise


def _files_of(client: MlflowClient, run: Run, folder: Path) -> set[str]:
    """The list that `register` has left, where the run says that there is one."""
    if runs.FILES not in run.data.tags:
        return set()
    with tempfile.TemporaryDirectory(dir=folder) as target:
        files = json.loads(Path(client.download_artifacts(run.info.run_id, runs.FILES_ARTIFACT, target)).read_text())
    if digest_json(files) != run.data.tags[runs.FILES]:
        raise ValueError(f"run {run.info.run_id}: {runs.FILES_ARTIFACT} is not what its tag {runs.FILES} says")
    return {file["digest"] for file in files}


def _ledgers(client: MlflowClient) -> Iterator[Run]:
    experiment = client.get_experiment_by_name(ledger.EXPERIMENT)
    return iter(()) if experiment is None else _runs(client, experiment.experiment_id, "")


def _runs(client: MlflowClient, experiment_id: str, wanted: str) -> Iterator[Run]:
    """Deleted ones too: what they mention may be restored."""
    return _paged(
        lambda token: client.search_runs([experiment_id], wanted, ViewType.ALL, max_results=_PAGE, page_token=token)
    )


def _paged(search: Callable[[str | None], Any]) -> Iterator[Any]:
    token: str | None = None
    while True:
        page = search(token)
        yield from page
        token = page.token
        if not token:
            return


def _digests(texts: Any) -> set[str]:
    return {digest for text in texts for digest in _DIGEST.findall(text)}
