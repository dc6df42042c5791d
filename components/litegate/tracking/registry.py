"""The registry: one version per .tflite digest."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

__all__ = [
    "BASELINE_DIGEST",
    "DIGEST",
    "PASSED",
    "REQUALIFIED",
    "SENTENCE",
    "SIGNED_BY",
    "STATE",
    "STATEMENT",
    "VARIANT",
    "ensure_version",
    "evidence_of",
    "evidence_tag",
    "introduce",
    "verdict_run",
]

STATE, PASSED = "gate.state", "passed"
DIGEST, VARIANT, SENTENCE = "tflite_sha256", "variant", "verdict.sentence"
BASELINE_DIGEST = "baseline_sha256"
REQUALIFIED = "requalified"
"""A version's tag with what its latest requalification found, in one sentence."""
STATEMENT, SIGNED_BY = "statement_sha256", "statement.signed_by"
"""A version's tags with the digest of its statement, and the id of the key that signed it: `unsigned` for none."""
DESCRIPTION_LIMIT = 5000
_EVIDENCE = "evidence."


def evidence_tag(variant: str) -> str:
    """The tag of a version that names the run with a variant's verdict on its bytes: variants may have equal bytes."""
    return f"{_EVIDENCE}{variant}"


def evidence_of(version: ModelVersion) -> dict[str, str]:
    """By variant, the run whose verdict a version rests on."""
    tagged = {key: run for key, run in version.tags.items() if key.startswith(_EVIDENCE)}
    found = {key.removeprefix(_EVIDENCE): str(run) for key, run in tagged.items()}
    variant = version.tags.get(VARIANT)
    # An older litegate named none: there the version has one variant, and its own run.
    return found if found or variant is None else {variant: str(version.run_id)}


def verdict_run(version: ModelVersion) -> tuple[str, str | None]:
    """The variant that was selected last, and the run with its verdict; None if none is named."""
    variant = str(version.tags.get(VARIANT))
    return variant, evidence_of(version).get(variant)


def ensure_version(
    client: MlflowClient, name: str, model_id: str, run_id: str, tags: dict[str, str], describe: Callable[[int], str]
) -> int:
    """The version with the digest that `tags` names, created where there is none.

    Args:
        describe: its description, by its number.

    A version that is there already gets the newest evidence, but keeps its `gate.state`: what somebody
    revoked stays revoked. It keeps the verdicts on other variants, also one that an older litegate did not tag.
    """
    if not _versions(client, name, tags[DIGEST]):
        _create(client, name, model_id, run_id, tags)
    version = _versions(client, name, tags[DIGEST])[0]
    kept = {evidence_tag(variant): run for variant, run in evidence_of(version).items()}
    # A variant is named after the run with its verdict: who proves the version in between finds both.
    for key, value in sorted((kept | tags).items(), key=lambda tag: not tag[0].startswith(_EVIDENCE)):
        if key != STATE and version.tags.get(key) != value:
            _tag(client, version, key, value)
    description = describe(int(version.version))[:DESCRIPTION_LIMIT]
    if version.description != description:
        client.update_model_version(name, version.version, description)
    return int(version.version)


def _tag(client: MlflowClient, version: ModelVersion, key: str, value: str) -> None:
    """Set a tag. Two at once may both find none, and the server refuses the second; by then there is one to replace."""
    try:
        client.set_model_version_tag(version.name, version.version, key, value)
    except MlflowException:
        client.set_model_version_tag(version.name, version.version, key, value)


def introduce(client: MlflowClient, name: str, card: str) -> None:
    """Describe a registered model that nobody has described yet."""
    if not client.get_registered_model(name).description:
        client.update_registered_model(name, card)


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
