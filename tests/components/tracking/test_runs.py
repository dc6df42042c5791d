"""Finding runs again, and experiments that others create or delete."""

from __future__ import annotations

import json
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import mlflow.data
import pytest
from mlflow import MlflowClient

from litegate.digest import digest_bytes
from litegate.errors import StackError
from litegate.records import DataRef, FileRef
from litegate.tracking import run_data, runs

NOTE = "note of {}".format
pytestmark = pytest.mark.usefixtures("mlflow_url")


@pytest.fixture
def name() -> str:
    return f"quantize/{uuid.uuid4().hex[:8]}"


def test_eight_at_once_create_one_experiment(name):
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(runs.experiment, MlflowClient(), name, NOTE) for _ in range(8)]
        assert len({call.result() for call in calls}) == 1


def test_a_deleted_experiment_is_brought_back(name):
    client = MlflowClient()
    experiment = runs.experiment(client, name, NOTE)
    client.delete_experiment(experiment)
    assert runs.experiment(client, name, NOTE) == experiment
    found = client.get_experiment(experiment)
    assert (found.lifecycle_stage, found.tags[run_data.NOTE]) == ("active", f"note of {experiment}")


def test_the_same_content_is_the_same_run_only_within_a_pipeline_run(name):
    client = MlflowClient()
    experiment = runs.experiment(client, name, NOTE)
    opened = [
        runs.Runs(client, experiment, key).open(content, "run", {}).info.run_id
        for key, content in [("it's", ["it's", "a"]), ("it's", ["it's", "a"]), ("two", ["two", "a"]), ("two", ["b"])]
    ]
    assert opened[0] == opened[1]
    assert len(set(opened)) == 3


@pytest.mark.parametrize(
    ("error", "status"), [(None, "FINISHED"), (ValueError(), "FAILED"), (SystemExit(143), "KILLED")]
)
def test_a_run_ends_as_its_recording_did(name, error, status):
    client = MlflowClient()
    recorder = runs.Runs(client, runs.experiment(client, name, NOTE), "key")
    with suppress(ValueError, SystemExit), recorder.recording(["a"], "run", {}) as run:
        assert [left.info.run_id for left in runs.unended(client, name, "key")] == [run.info.run_id]
        assert runs.unended(client, name, "another key") == []
        if error is not None:
            raise error
    assert client.get_run(run.info.run_id).info.status == status
    assert runs.unended(client, name, "key") == []


def test_a_run_whose_recorder_ends_while_it_is_created_is_ended_too(name, monkeypatch):
    client = MlflowClient()
    experiment = runs.experiment(client, name, NOTE)
    create = MlflowClient.create_run
    monkeypatch.setattr(MlflowClient, "create_run", lambda *args, **kwargs: sys.exit(create(*args, **kwargs) and 143))
    with pytest.raises(SystemExit), runs.Runs(client, experiment, "key").recording(["a"], "run", {}):
        pytest.fail("it was never opened")
    (run,) = client.search_runs([experiment])
    assert run.info.status == "KILLED"


def test_what_a_killed_try_left_open_is_ended_by_the_one_that_does_not_take_it_up(name):
    client = MlflowClient()
    experiment = runs.experiment(client, name, NOTE)
    killed = runs.Runs(client, experiment, "key")
    same, outdated = killed.open(["same"], "run", {}), killed.open(["outdated"], "run", {})
    elsewhere = runs.Runs(client, experiment, "another key").open(["b"], "run", {})

    again = runs.Runs(client, experiment, "key")
    with again.recording(["same"], "run", {}):
        again.supersede_others()
    states = [client.get_run(run.info.run_id).info.status for run in (same, outdated, elsewhere)]
    assert states == ["FINISHED", "KILLED", "RUNNING"]


@pytest.mark.parametrize("uri", ["s3://bucket/data/eval.npz", "/data/eval.npz", "s3://bucket/eval/"])
def test_a_data_set_is_named_without_being_read(name, uri):
    manifest = FileRef(name="manifest.json", digest=digest_bytes(b""), bytes=0)
    data = run_data.dataset(DataRef(uri=uri, format="npz", digest=digest_bytes(b"data"), manifest=manifest), 50)
    assert (data.name, data.digest) == ("eval", digest_bytes(b"data")[:36])

    client = MlflowClient()
    run = runs.Runs(client, runs.experiment(client, name, NOTE), "key").open(["a"], "run", {})
    for _ in range(2):
        run_data.log_datasets(client, run, calibration=data, evaluation=data)
    (found,) = client.get_run(run.info.run_id).inputs.dataset_inputs
    assert found.dataset.name == "eval"
    assert mlflow.data.get_source(found).uri == uri
    assert json.loads(found.dataset.profile) == {"num_rows": 50}


def test_without_a_server_nothing_is_recorded_elsewhere(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    with pytest.raises(StackError, match="MLFLOW_TRACKING_URI is not set"):
        runs.connect()
