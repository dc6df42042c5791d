"""What must hold after every run, read from the stores themselves and not by the code that wrote them.

Of litegate only the layout of its stores is used: names of objects, tags and parameters.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.entities.model_registry import ModelVersion

__all__ = [
    "Finding",
    "Promotion",
    "Wrong",
    "objects_below",
    "registry_findings",
    "unfinished",
    "workspace_findings",
]


class Wrong(StrEnum):
    """What a finding counts as."""

    LOST = "lost"
    DOUBLED = "doubled"
    PROMOTED = "wrongly promoted"
    BY_HAND = "needed by hand"


@dataclass(frozen=True)
class Finding:
    """Something that does not hold."""

    wrong: Wrong
    what: str


@dataclass(frozen=True)
class Promotion:
    """What a run has told its user: this version is champion by this DAG run."""

    model: str
    run_key: str
    version: int
    digest: str


def objects_below(root: Path) -> Iterator[tuple[str, bytes]]:
    """The objects of a workspace that is a local folder."""
    for path in root.rglob("[!.]*"):
        if path.is_file():
            yield path.relative_to(root).as_posix(), path.read_bytes()


def workspace_findings(objects: Iterable[tuple[str, bytes]]) -> Iterator[Finding]:
    """Files that are not what they are named after, and results and marks that are not whole.

    Args:
        objects: names below the root of the workspace, and contents.
    """
    for name, content in objects:
        if not _is_whole(name, content):
            yield Finding(Wrong.LOST, f"{name} in the workspace is not whole")


def _is_whole(name: str, content: bytes) -> bool:
    kind, _, rest = name.partition("/")
    if kind == "files":
        return hashlib.sha256(content).hexdigest() == rest
    if kind == "results":
        step, _, key = rest.removesuffix(".json").partition("/")
        return _is_whole_result(step, key, content)
    try:
        json.loads(content)
    except ValueError:
        return False
    return True


def _is_whole_result(step: str, key: str, content: bytes) -> bool:
    """Whether a stored result carries the digest of itself."""
    try:
        kept = json.loads(content)
        return bool(kept["digest"] == _canonical([step, key, kept["result"]]))
    except (ValueError, KeyError, TypeError):
        return False


def _canonical(value: Any) -> str:
    """SHA-256 of JSON with sorted keys and no white space."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def registry_findings(client: MlflowClient, model: str, told: list[Promotion]) -> Iterator[Finding]:
    """Whether versions, aliases and the promotion log of a model agree with each other and with what runs have told."""
    versions = {int(each.version): each for each in client.search_model_versions(f"name = '{model}'")}
    aliases = {} if not versions else dict(client.get_registered_model(model).aliases)
    entries = _ledger(client, f"{model}@champion")
    yield from _doubled(versions, entries)
    yield from _doubled_runs(client, model)
    for alias, number in aliases.items():
        yield from _unproved(client, versions.get(int(number)), f"{model}@{alias}")
    yield from _broken_chain(entries, model)
    champion = entries[-1]["after"] if entries else None
    if champion != (int(aliases["champion"]) if "champion" in aliases else None):
        yield Finding(Wrong.PROMOTED, f"{model}@champion is {aliases.get('champion')}, the log says {champion}")
    for each in told:
        yield from _forgotten(each, versions, entries)


def _ledger(client: MlflowClient, alias: str) -> list[dict[str, Any]]:
    """The entries of a promotion log that is not longer than a page."""
    marker = client.get_experiment_by_name(f"promotions/{alias}")
    if marker is None:
        return []
    kept: Mapping[str, str] = client.get_run(marker.tags["litegate.ledger"]).data.params
    return [json.loads(text) for key, text in sorted(kept.items()) if key.startswith("entry-")]


def _doubled(versions: Mapping[int, ModelVersion], entries: list[dict[str, Any]]) -> Iterator[Finding]:
    yield from _several(f"versions of {each.tags.get('tflite_sha256')}" for each in versions.values())
    yield from _several(f"log entries of {entry['decision']['key']}" for entry in entries)


def _several(things: Iterable[str]) -> Iterator[Finding]:
    yield from (Finding(Wrong.DOUBLED, f"{count} {what}") for what, count in Counter(things).items() if count > 1)


def _doubled_runs(client: MlflowClient, model: str) -> Iterator[Finding]:
    """Of each pipeline run MLflow has one record that counts."""
    found = _pipeline_runs(client, model)
    yield from _several(f"MLflow runs of {run.data.tags['litegate.run_key']}" for run in found if _counts(run))


def _pipeline_runs(client: MlflowClient, model: str) -> list[Run]:
    experiment = client.get_experiment_by_name(f"quantize/{model}")
    found = [] if experiment is None else client.search_runs([experiment.experiment_id], max_results=5000)
    return [run for run in found if "mlflow.parentRunId" not in run.data.tags and "litegate.run_key" in run.data.tags]


def _counts(run: Run) -> bool:
    return bool(run.info.status == "FINISHED" and run.data.tags.get("litegate.superseded") != "true")


def _unproved(client: MlflowClient, version: ModelVersion | None, alias: str) -> Iterator[Finding]:
    """An alias must be on a version whose very bytes have a verdict that passed."""
    if version is None:
        yield Finding(Wrong.PROMOTED, f"{alias} names a version that is not there")
        return
    tags, number = version.tags, version.version
    with tempfile.TemporaryDirectory() as folder:
        kept = client.download_artifacts(tags[f"evidence.{tags['variant']}"], "verdict.json", folder)
        verdict = json.loads(Path(kept).read_text())
    if (verdict["state"], tags["gate.state"]) != ("passed", "passed"):
        yield Finding(Wrong.PROMOTED, f"{alias} is version {number}, which is {verdict['state']}, {tags['gate.state']}")
    digest = _digest_of_model(client, version)
    if not digest == verdict["digest"] == tags["tflite_sha256"]:
        yield Finding(Wrong.PROMOTED, f"{alias} is version {number} of other bytes than those that passed: {digest}")


def _digest_of_model(client: MlflowClient, version: ModelVersion) -> str:
    from mlflow.artifacts import download_artifacts

    place = client.get_logged_model(version.source.removeprefix("models:/")).artifact_location
    with tempfile.TemporaryDirectory() as folder:
        download_artifacts(place, dst_path=folder, tracking_uri=client.tracking_uri)
        (file,) = Path(folder).rglob("*.tflite")
        return hashlib.sha256(file.read_bytes()).hexdigest()


def _broken_chain(entries: list[dict[str, Any]], model: str) -> Iterator[Finding]:
    previous = ""
    for number, entry in enumerate(entries):
        if (entry["number"], entry["previous"]) != (number, previous):
            yield Finding(Wrong.LOST, f"entry {number} of the promotion log of {model} does not follow the one before")
        previous = _canonical(entry)


def _forgotten(
    told: Promotion, versions: Mapping[int, ModelVersion], entries: list[dict[str, Any]]
) -> Iterator[Finding]:
    version = versions.get(told.version)
    if version is None or version.tags.get("tflite_sha256") != told.digest:
        yield Finding(Wrong.LOST, f"version {told.version} of {told.model}, which {told.run_key} has promoted")
    decided = [each["decision"] for each in entries if each["decision"]["run_key"] == told.run_key]
    if not any((each["action"], each["version"]) == ("accepted", told.version) for each in decided):
        yield Finding(Wrong.LOST, f"the log entry of {told.run_key}, which has promoted version {told.version}")


def unfinished(client: MlflowClient, model: str) -> Iterator[Finding]:
    """Runs that still say RUNNING although nothing is under way."""
    experiment = client.get_experiment_by_name(f"quantize/{model}")
    found = (
        [] if experiment is None else client.search_runs([experiment.experiment_id], "attributes.status = 'RUNNING'")
    )
    yield from (Finding(Wrong.BY_HAND, f"run {run.info.run_id} of {model} says RUNNING for ever") for run in found)
