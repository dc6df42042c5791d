"""Registering again: the same run repeated, cut short or changed, and later runs that find the same bytes."""

from __future__ import annotations

import pytest
from mlflow import MlflowClient

from litegate.steps import register
from tests.recorded import DROPS, METRICS, census, children, logged_models

pytestmark = pytest.mark.usefixtures("mlflow_url")


def test_repeating_a_run_adds_nothing(toy):
    request = toy.request()
    first = register.run(request, toy.work)
    before = census(first, toy.name)
    second = register.run(request.model_copy(update={"links": {"airflow": "http://elsewhere/"}}), toy.work)

    assert second == first
    assert census(second, toy.name) == before
    assert before["points"] == [1] * len(before["points"])


def test_a_run_that_was_cut_short_is_marked_and_taken_up_again(toy, monkeypatch):
    calls = []
    finalize = MlflowClient.finalize_logged_model

    def dies_at_the_second(client, model_id, status):
        calls.append(model_id)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return finalize(client, model_id, status)

    monkeypatch.setattr(MlflowClient, "finalize_logged_model", dies_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        register.run(toy.request(), toy.work)
    experiment = MlflowClient().get_experiment_by_name(f"quantize/{toy.name}").experiment_id
    states = [run.info.status for run in MlflowClient().search_runs([experiment])]
    assert states.count("KILLED") == 2, "the pipeline run, and the variant that was being recorded"
    assert "RUNNING" not in states

    result = register.run(toy.request(), toy.work)
    assert len(logged_models(result)) == 3
    assert {str(model.status) for model in logged_models(result)} == {"READY"}
    assert len(MlflowClient().search_runs([experiment])) == 5
    assert MlflowClient().get_run(result.mlflow_run_id).info.status == "FINISHED"


def test_a_repeated_run_that_finds_something_else_outdates_what_it_found_before(toy):
    request = toy.request()
    first = register.run(request, toy.work)
    late = toy.candidate("int16x8", file="dynamic_range")
    second = register.run(
        request.model_copy(
            update={
                "candidates": (*request.candidates, late),
                "verdicts": (*request.verdicts[:-1], toy.verdict(late)),
            }
        ),
        toy.work,
    )

    assert second.mlflow_run_id == first.mlflow_run_id
    runs = MlflowClient().search_runs([first.experiment_id], "tags.variant = 'int16x8'")
    assert {run.info.run_id: run.data.tags.get("litegate.superseded") for run in runs} == {
        first.variants[-1].mlflow_run_id: "true",
        second.variants[-1].mlflow_run_id: "false",
    }


def test_the_same_bytes_are_registered_once_however_many_runs_find_them(toy):
    first = register.run(toy.request(run_key="one"), toy.work)
    second = register.run(toy.request(run_key="two"), toy.work)

    assert second.mlflow_run_id != first.mlflow_run_id
    assert second.selected == first.selected
    version = MlflowClient().get_model_version(toy.name, "1")
    assert version.tags["litegate.run_key"] == "two"


def test_a_later_run_uploads_no_file_that_mlflow_holds(toy):
    request, later = toy.request(run_key="one"), toy.request(run_key="two")
    first = register.run(request, toy.work)
    again = toy.verdict(toy.candidate("int8"), drop=0.003)
    second = register.run(
        later.model_copy(update={"verdicts": (*later.verdicts[:2], again, later.verdicts[3])}), toy.work
    )

    (model,) = [model for model in logged_models(second) if model.params["variant"] == "int8"]
    assert len(logged_models(second)) == 3, "no more than the first run has logged"
    assert [row.mlflow_model_id for row in second.variants] == [row.mlflow_model_id for row in first.variants]
    run = children(second)["int8"]
    assert [output.model_id for output in run.outputs.model_outputs] == [model.model_id]
    assert set(run.data.metrics) == METRICS | DROPS
    drops = {metric.run_id: metric.value for metric in model.metrics if metric.key == "drop"}
    assert drops == {first.variants[2].mlflow_run_id: 0.002, run.info.run_id: 0.003}
    values = [metric for metric in model.metrics if metric.key == "top1"]
    assert len(values) == 1, "what it carries already is not added"


def test_a_file_that_mlflow_does_not_hold_as_judged_is_uploaded_anew(toy, mlflow_server):
    first = register.run(toy.request(run_key="one"), toy.work)
    broken, gone = (first.variants[number].mlflow_model_id for number in (1, 2))
    (file,) = mlflow_server.artifacts.rglob(f"{broken}/artifacts/artifacts/*.tflite")
    file.write_bytes(file.read_bytes() + b"!")
    (file,) = mlflow_server.artifacts.rglob(f"{gone}/artifacts/artifacts/*.tflite")
    file.unlink()
    second = register.run(toy.request(run_key="two"), toy.work)

    kept, *anew = (row.mlflow_model_id for row in second.variants[:3])
    assert kept == first.variants[0].mlflow_model_id
    assert not {broken, gone} & set(anew)
    assert MlflowClient().get_model_version(toy.name, "1").tags["litegate.run_key"] == "two"


def test_a_variant_that_an_earlier_try_has_recorded_to_its_end_is_not_recorded_again(toy, monkeypatch):
    request = toy.request()
    first = register.run(request, toy.work)
    written, log_batch = [], MlflowClient.log_batch

    def writes(client, run_id, *args, **kwargs):
        written.append(run_id)
        return log_batch(client, run_id, *args, **kwargs)

    monkeypatch.setattr(MlflowClient, "log_batch", writes)
    assert register.run(request, toy.work) == first
    whole = {row.mlflow_run_id for row in first.variants if row.mlflow_model_id}
    assert first.mlflow_run_id in written
    assert not whole & set(written)


def test_a_revoked_version_stays_revoked(toy):
    register.run(toy.request(run_key="one"), toy.work)
    MlflowClient().set_model_version_tag(toy.name, "1", "gate.state", "revoked")
    register.run(toy.request(run_key="two"), toy.work)

    assert MlflowClient().get_model_version(toy.name, "1").tags["gate.state"] == "revoked"
