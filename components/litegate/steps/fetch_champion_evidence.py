"""Step `fetch_champion_evidence`: fetch the champion with all that it was judged by, from MLflow alone."""

from __future__ import annotations

import tempfile
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from litegate.digest import digest_bytes
from litegate.errors import StoreError
from litegate.inspection.tflite import describe_unopened
from litegate.records import Artifact, ChampionEvidence, ChampionRequest, DriftReference, FoundChampion, unreadable
from litegate.tracking import aliases, models, notes, registry, runs
from litegate.tracking.proof import proved_content
from litegate.variants import BASELINE
from litegate.work.step_work import Work

__all__ = ["run"]


def run(request: ChampionRequest, work: Work) -> FoundChampion:
    """Download the version behind the alias, its baseline, and what its data looked like.

    Raises:
        StoreError: one of them is not there, or not what its digest says.
    """
    client = runs.connect()
    number = aliases.version_behind(client, request.registry, request.alias)
    if number is None:
        work.say("champion: no version of %s is %s yet", request.registry, request.alias)
        return FoundChampion(champion=None)
    version = client.get_model_version(request.registry, str(number))
    variant, run_id = registry.verdict_run(version)
    if run_id is None:
        where = f"models:/{request.registry}/{number}"
        raise StoreError(f"{where}: no tag names the run with the verdict on {variant}: quantize and promote it anew")
    content = proved_content(client, request.registry, number, work.folder)
    found = ChampionEvidence(
        version=number,
        artifact=_artifact(work, variant, content),
        baseline=_artifact(work, BASELINE, _baseline(client, version, run_id, work.folder)),
        reference=_reference(client, version, run_id, work.folder),
        model_id=version.source.removeprefix("models:/"),
        mlflow_run_id=run_id,
    )
    work.say("champion: %s version %s is %s", request.registry, number, found.artifact.variant)
    return FoundChampion(champion=found)


def _artifact(work: Work, variant: str, content: bytes) -> Artifact:
    return Artifact(
        variant=variant, file=work.keep_bytes(content, f"{variant}.tflite"), signatures=describe_unopened(content)
    )


def _baseline(client: MlflowClient, version: ModelVersion, run_id: str, folder: Path) -> bytes:
    """The float32 file that the version was judged against: a logged model of its experiment, found by its digest."""
    digest = version.tags.get(registry.BASELINE_DIGEST)
    experiment = client.get_run(run_id).info.experiment_id
    wanted = f"tags.{registry.VARIANT} = '{BASELINE}' and tags.{registry.DIGEST} = '{digest}'"
    for run in client.search_runs([experiment], wanted):
        model = models.logged_model(client, run)
        if model is None:
            continue
        content = models.stored_content(f"models:/{model.model_id}", folder)
        if digest_bytes(content) == digest:
            return content
    where = f"models:/{version.name}/{version.version}"
    raise StoreError(f"{where}: MLflow does not hold its float32 baseline, {digest}: quantize and promote it anew")


def _reference(client: MlflowClient, version: ModelVersion, run_id: str, folder: Path) -> DriftReference:
    """What the data looked like on which the verdict rests by which the version was selected."""
    with tempfile.TemporaryDirectory(dir=folder) as target:
        try:
            path = Path(client.download_artifacts(run_id, notes.DRIFT_REFERENCE, target))
            return DriftReference.model_validate_json(path.read_text())
        except (MlflowException, OSError, ValueError) as error:
            where = f"models:/{version.name}/{version.version}"
            said = f"no {notes.DRIFT_REFERENCE} in run {run_id}: {unreadable(error)}"
            raise StoreError(f"{where}: {said}: quantize and promote it anew") from None
