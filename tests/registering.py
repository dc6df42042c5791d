"""Versions as `register` leaves them, without a model that had to be converted: for tests of what is decided later."""

from __future__ import annotations

import tempfile
import uuid
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import LoggedModelStatus

from litegate.digest import digest_bytes
from litegate.records import Action, Champion, Decided, Decision, RegisteredAlias, Verdict
from litegate.tracking import notes, registry
from litegate.tracking.deciding import decide

__all__ = ["accept", "new_name", "register", "take"]


def new_name() -> str:
    """A registered model of the test's own."""
    return f"toy-{uuid.uuid4().hex[:8]}"


def register(client: MlflowClient, name: str, variant: str, content: bytes | None = None) -> Champion:
    """A version that passed the gate: its bytes, its verdict and its tags are in MLflow."""
    content = content or f"{name} {variant}".encode()
    digest = digest_bytes(content)
    found = client.get_experiment_by_name(name)
    experiment = client.create_experiment(name) if found is None else found.experiment_id
    run_id = client.create_run(experiment, run_name=variant).info.run_id
    verdict = Verdict(variant=variant, state="passed", digest=digest, reasons=())
    client.log_text(run_id, verdict.model_dump_json(), notes.VERDICT)
    tags = {registry.STATE: registry.PASSED, registry.DIGEST: digest, registry.VARIANT: variant}
    tags |= {registry.evidence_tag(variant): run_id}
    model_id = _logged_model(client, experiment, run_id, content)
    version = registry.ensure_version(client, name, model_id, run_id, tags, lambda _: "")
    return Champion(variant=variant, version=version, digest=digest)


def accept(client: MlflowClient, name: str, version: Champion, run: str, order: str) -> Decided:
    """What the pipeline run `run`, due at `order`, decides about a version that passed."""
    decision = Decision(
        channel=RegisteredAlias(registry=name),
        action="accepted",
        key=f"{run} version {version.version}",
        actor=run,
        why="it passed the gate",
        version=version.version,
        digest=version.digest,
        variant=version.variant,
        order=order,
    )
    with tempfile.TemporaryDirectory() as folder:
        return decide(client, decision, Path(folder))


def take(client: MlflowClient, name: str, action: Action, version: int | None = None, **fields: Any) -> Decided:
    """What a person decides about a version."""
    decision = Decision(
        channel=RegisteredAlias(registry=name),
        action=action,
        key=str(uuid.uuid4()),
        version=version,
        **({"actor": "alice", "why": "slow"} | fields),
    )
    with tempfile.TemporaryDirectory() as folder:
        return decide(client, decision, Path(folder))


def _logged_model(client: MlflowClient, experiment: str, run_id: str, content: bytes) -> str:
    model = client.create_logged_model(experiment, "toy", run_id)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "artifacts", "toy.tflite")
        path.parent.mkdir()
        path.write_bytes(content)
        client.log_model_artifacts(model.model_id, folder)
    client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
    return str(model.model_id)
