"""Versions and aliases when several write at once."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import RestException

from litegate.errors import StoreError
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
        calls = [pool.submit(registry.ensure_version, client, *logged, TAGS, "note") for _ in range(8)]
        numbers = {call.result() for call in calls}

    versions = client.search_model_versions(f"name = '{logged[0]}'")
    assert numbers == {int(version.version) for version in versions}
    assert len(versions) == 1


def test_eight_first_writers_of_an_alias_all_succeed(logged):
    client = MlflowClient()
    version = registry.ensure_version(client, *logged, TAGS, "note")
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(registry.move_alias, client, logged[0], "champion", version) for _ in range(8)]
        assert [call.result() for call in calls] == [None] * 8
    assert registry.version_behind(client, logged[0], "champion") == version


def test_a_collision_of_first_writers_is_tried_again(logged, monkeypatch):
    client, answers = MlflowClient(), ["BAD_REQUEST", "TEMPORARILY_UNAVAILABLE"]
    version = registry.ensure_version(client, *logged, TAGS, "note")
    set_alias = client.set_registered_model_alias

    def collides_twice(name, alias, version):
        if answers:
            raise RestException({"error_code": answers.pop(), "message": "UNIQUE constraint failed"})
        set_alias(name, alias, version)

    monkeypatch.setattr(client, "set_registered_model_alias", collides_twice)
    registry.move_alias(client, logged[0], "champion", version)
    assert registry.version_behind(client, logged[0], "champion") == version


def test_an_alias_that_does_not_hold_is_an_error(logged, monkeypatch):
    client = MlflowClient()
    version = registry.ensure_version(client, *logged, TAGS, "note")
    monkeypatch.setattr(client, "set_registered_model_alias", lambda *_: None)
    monkeypatch.setattr(registry, "TRIES", 2)
    with pytest.raises(StoreError, match=f"alias champion of {logged[0]} does not stay on version 1"):
        registry.move_alias(client, logged[0], "champion", version)


def test_a_note_that_is_too_long_is_cut(logged):
    version = registry.ensure_version(MlflowClient(), *logged, TAGS, "x" * 9000)
    assert len(MlflowClient().get_model_version(logged[0], str(version)).description) == 5000
