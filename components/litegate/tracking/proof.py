"""The proof that a version is what the gate let pass: its tags, its verdict and its bytes name one digest."""

from __future__ import annotations

import tempfile
from pathlib import Path

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from litegate.digest import digest_bytes
from litegate.errors import StoreError
from litegate.records import RegisteredAlias, Verdict, unreadable
from litegate.tracking import models, notes, registry
from litegate.tracking.overrides import overrides_in

__all__ = ["prove", "proved_content"]


def prove(client: MlflowClient, channel: RegisteredAlias, version: int, folder: Path) -> None:
    """Check a version before it becomes champion, from what MLflow has stored, downloaded afresh.

    Args:
        folder: where files may be downloaded to.

    Raises:
        StoreError: a tag, the verdict that its run keeps, or the file itself says otherwise.
    """
    where = f"{channel.registry} version {version}"
    found = client.get_model_version(channel.registry, str(version))
    digest = found.tags.get(registry.DIGEST)
    if found.tags.get(registry.STATE) != registry.PASSED or digest is None:
        raise StoreError(f"{where}: its tags do not say that it passed the gate: it may not be promoted")
    variant, run_id = registry.verdict_run(found)
    if run_id is None:
        missing = f"expected the tag {registry.evidence_tag(variant)}, which names the run with its verdict, got none"
        raise StoreError(f"{where}: {missing}: run the pipeline again")
    _prove_verdict(client, where, (variant, run_id), digest, folder)
    stored = models.stored_digest(f"models:/{channel.registry}/{version}", folder)
    if stored != digest:
        raise StoreError(f"{where}: expected {digest}, got {stored}: delete the version, register again")


def proved_content(client: MlflowClient, name: str, version: int, folder: Path) -> bytes:
    """The file of a version, downloaded afresh.

    Raises:
        StoreError: MLflow does not hold the bytes that the version's own digest names.
    """
    uri = f"models:/{name}/{version}"
    expected = client.get_model_version(name, str(version)).tags.get(registry.DIGEST)
    if expected is None:
        raise StoreError(f"{uri}: no tag {registry.DIGEST}: move the alias to a version that litegate registered")
    content = models.stored_content(uri, folder)
    found = digest_bytes(content)
    if found != expected:
        raise StoreError(f"{uri}: expected {expected}, got {found}: move the alias to a version whose file is whole")
    return content


def _prove_verdict(client: MlflowClient, where: str, evidence: tuple[str, str], digest: str, folder: Path) -> None:
    """The verdict that a run keeps says that these bytes passed as this variant, and the run may promote."""
    variant, run_id = evidence
    verdict = _verdict(client, run_id, where, folder)
    if (verdict.state, verdict.digest, verdict.variant) != ("passed", digest, variant):
        said = f"{verdict.variant} {verdict.state}, {verdict.digest}"
        raise StoreError(f"{where}: the verdict of run {run_id} says {said}, not that {variant} passed with {digest}")
    overrides = overrides_in(client.get_run(run_id).data.tags)
    if overrides is not None:
        raise StoreError(f"{where}: run {run_id} was an override run ({overrides}): only the spec as it is promotes")


def _verdict(client: MlflowClient, run_id: str, where: str, folder: Path) -> Verdict:
    with tempfile.TemporaryDirectory(dir=folder) as target:
        try:
            path = Path(client.download_artifacts(run_id, notes.VERDICT, target))
            return Verdict.model_validate_json(path.read_text())
        except (MlflowException, OSError, ValueError) as error:
            raise StoreError(f"{where}: no verdict in run {run_id}: {unreadable(error)}") from None
