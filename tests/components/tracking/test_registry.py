"""Versions and aliases when several write at once."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from mlflow import MlflowClient

from litegate.tracking import registry

pytestmark = pytest.mark.usefixtures("mlflow_url")
TAGS = {"gate.state": "passed", "tflite_sha256": "0" * 64, "variant": "int8"}


@pytest.fixture
def logged() -> tuple[str, str, str]:
    """A new name, and a logged model with its run."""
    client, name = MlflowClient(), f"toy-{uuid.uuid4().hex[:8]}"
    experiment = client.create_experiment(name)
    run = client.create_run(experiment)
    model = client.create_logged_model(experiment, "toy", run.info.run_id)
    return name, model.model_id, run.info.run_id


def test_eight_at_once_register_one_version_and_agree_on_it(logged):
    client = MlflowClient()
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(registry.ensure_version, client, *logged, TAGS, lambda _: "note") for _ in range(8)]
        numbers = {call.result() for call in calls}

    versions = client.search_model_versions(f"name = '{logged[0]}'")
    assert numbers == {int(version.version) for version in versions}
    assert len(versions) == 1


def test_a_version_keeps_the_verdicts_on_other_names_also_one_that_an_older_litegate_did_not_tag(logged):
    client, (name, model_id, run_id) = MlflowClient(), logged
    number = str(registry.ensure_version(client, *logged, TAGS, lambda _: "note"))
    assert registry.verdict_run(client.get_model_version(name, number)) == ("int8", run_id)

    other = TAGS | {"variant": "uint8", registry.evidence_tag("uint8"): "another run"}
    registry.ensure_version(client, name, model_id, "another run", other, lambda _: "note")
    version = client.get_model_version(name, number)
    assert registry.evidence_of(version) == {"int8": run_id, "uint8": "another run"}
    assert registry.verdict_run(version) == ("uint8", "another run")
