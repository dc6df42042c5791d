"""Registering against a real MLflow server."""

from __future__ import annotations

import json
import math
from pathlib import Path

import mlflow.artifacts
import numpy as np
import pytest
from mlflow import MlflowClient

from litegate.digest import digest_bytes, digest_file
from litegate.errors import StoreError
from litegate.inspection import inspect_file, read_file
from litegate.records import (
    FineTuning,
    GateRequest,
    Inspection,
    MetricFacts,
    Recovery,
    RunResult,
    Selection,
    SmokeRun,
    Verdict,
)
from litegate.steps import register
from litegate.tracking import fields
from tests.components.presentation.test_fine_tunings import fine_tuning
from tests.components.presentation.test_recoveries import recovery
from tests.recorded import DROPS, METRICS, PAIRED, artifacts, children, logged_models

pytestmark = pytest.mark.usefixtures("mlflow_url")


@pytest.fixture(scope="module")
def recorded(mlflow_url, new_toy):
    """One promoted run, for all who only look at it."""
    toy = new_toy()
    return toy, register.run(toy.request(), toy.work)


def test_the_parent_run_says_what_was_asked_for_and_what_came_out(recorded):
    toy, result = recorded
    run = MlflowClient().get_run(result.mlflow_run_id)

    assert run.info.status == "FINISHED"
    assert run.info.run_name == "selected int8"
    (version,) = MlflowClient().search_model_versions(f"name = '{toy.name}'")
    assert [f"models:/{output.model_id}" for output in run.outputs.model_outputs] == [version.source]
    tags = run.data.tags
    assert tags["litegate.run_key"] == "quantize/run-1"
    assert (tags["outcome"], tags["selected"], tags["target"]) == ("selected", "int8", "cpu")
    assert tags["tools.tensorflow"] == "2.21.0"
    assert tags["mlflow.note.content"].startswith("**Selected: int8**, version 1: the smallest of 2")
    assert "[Airflow](http://127.0.0.1:8080/dags/quantize/runs/run-1)" in tags["mlflow.note.content"]
    assert run.data.params["calibration_uri"] == "s3://data/toy/train.npz"
    assert "- int8 passed, in one sentence" in tags["mlflow.note.content"].splitlines()
    assert run.data.params["gate_max_drop"] == "0.01"
    assert run.data.params["metric"] == "top1"
    assert run.data.metrics["baseline_top1"] == 0.92
    assert {item.tags[0].value: item.dataset.name for item in run.inputs.dataset_inputs} == {
        "calibration": "train",
        "evaluation": "eval",
    }


def test_the_result_is_kept_and_has_a_row_for_every_verdict(recorded):
    _, result = recorded

    kept = json.loads(mlflow.artifacts.load_text(f"runs:/{result.mlflow_run_id}/result.json"))
    assert RunResult.model_validate(kept) == result
    assert len(json.loads(mlflow.artifacts.load_text(f"runs:/{result.mlflow_run_id}/verdicts.json"))["verdicts"]) == 4
    assert [(row.variant, row.verdict) for row in result.variants] == [
        ("float32", "baseline"),
        ("dynamic_range", "passed"),
        ("int8", "passed"),
        ("int16x8", "failed"),
    ]
    assert (result.outcome, result.selected.variant, result.selected.version) == ("selected", "int8", 1)


def test_the_report_of_the_run_is_kept_with_all_classes_and_the_result_says_where(recorded, mlflow_url):
    toy, result = recorded

    page = mlflow.artifacts.load_text(f"runs:/{result.mlflow_run_id}/report.html")
    assert f"<title>Ship int8 &ndash; {toy.name}</title>" in page
    assert f"{toy.name}-int8.tflite" in page
    model_id = next(row for row in result.variants if row.variant == "int8").mlflow_model_id
    assert f'href="{mlflow_url}' in page, "a browser can fetch the file"
    assert model_id in page
    assert '<th scope="row">4</th>' in page, "a class that only the file of all classes has"
    run = f"{mlflow_url}/#/experiments/{result.experiment_id}/runs/{result.mlflow_run_id}"
    assert result.report == f"{run}/artifacts/report.html?workflowType=machine_learning"


def test_what_was_selected_for_a_microcontroller_is_kept_as_c_source_too(new_toy):
    toy = new_toy()
    request = toy.request()
    spec = request.resolved.spec.model_copy(update={"target": "microcontroller"})
    resolved = request.resolved.model_copy(update={"spec": spec})
    result = register.run(request.model_copy(update={"resolved": resolved}), toy.work)

    kept = {variant: set(artifacts(run, "firmware")) for variant, run in children(result).items()}
    word = f"{toy.name}_int8".replace("-", "_")
    assert kept.pop("int8") == {f"firmware/{word}.c", f"firmware/{word}.h"}
    assert not any(kept.values())
    header = mlflow.artifacts.load_text(f"runs:/{children(result)['int8'].info.run_id}/firmware/{word}.h")
    assert request.candidates[1].artifact.file.digest in header


def test_every_variant_with_a_file_has_one_child_run_and_one_logged_model_with_all_numbers(recorded):
    toy, result = recorded
    runs, models = children(result), {model.params["variant"]: model for model in logged_models(result)}

    assert set(models) == {"float32", "dynamic_range", "int8"}
    assert set(runs["float32"].data.metrics) == METRICS | PAIRED, "the baseline is a point of every chart"
    assert fields.NUMBERS | {"top1", "top1_float32"} >= METRICS | DROPS
    for variant in ("dynamic_range", "int8"):
        run, model = runs[variant], models[variant]
        assert run.info.status == "FINISHED"
        assert set(run.data.metrics) == METRICS | DROPS
        assert {metric.key for metric in model.metrics} == METRICS | DROPS
        assert {metric.dataset_name for metric in model.metrics} == {"eval"}
        assert [output.model_id for output in run.outputs.model_outputs] == [model.model_id]
        assert run.data.tags["tflite_sha256"] == model.params["tflite_sha256"] == digest_file(toy.files[variant])
        assert str(model.status) == "READY"


def test_a_row_names_a_uri_from_which_the_very_file_can_be_downloaded(recorded, tmp_path):
    toy, result = recorded

    row = next(row for row in result.variants if row.variant == "int8")
    path = mlflow.artifacts.download_artifacts(artifact_uri=row.uri, dst_path=str(tmp_path / "download"))
    assert Path(path).name == f"{toy.name}-int8.tflite"
    assert digest_file(Path(path)) == row.digest


def test_a_logged_model_tells_nothing_about_this_machine_or_the_data(recorded, tmp_path):
    toy, result = recorded

    root = Path(mlflow.artifacts.download_artifacts(f"models:/{logged_models(result)[0].model_id}"))
    names = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    assert {"MLmodel", "python_model.py", "artifacts/litert.py"} < names
    assert not [name for name in names if name.endswith((".pkl", ".pyc", "uv.lock"))]
    example = json.loads((root / "serving_input_example.json").read_text())
    assert np.array(example["inputs"]["image"]).shape == (1, 8, 8, 1)
    assert not np.any(example["inputs"]["image"])
    description = (root / "MLmodel").read_text()
    assert str(toy.folder) not in description
    assert str(Path(register.__file__).parents[1]) not in description
    assert "tensorflow" not in (root / "requirements.txt").read_text().lower().replace("_", "")


def test_runs_are_found_by_model_variant_verdict_and_target(recorded):
    toy, result = recorded
    wanted = f"tags.model = '{toy.name}' AND tags.target = 'cpu' AND tags.verdict = 'passed'"
    found = MlflowClient().search_runs([result.experiment_id], f"{wanted} AND tags.`verdict.selected` = 'true'")
    assert [run.data.tags["variant"] for run in found] == ["int8"]
    assert {run.data.tags["variant"] for run in MlflowClient().search_runs([result.experiment_id], wanted)} == {
        "dynamic_range",
        "int8",
    }


def test_a_variant_names_the_data_that_it_was_measured_on_and_calibrated_with(recorded):
    _, result = recorded
    runs = children(result)
    used = {
        name: {item.tags[0].value: item.dataset.name for item in runs[name].inputs.dataset_inputs}
        for name in ("dynamic_range", "int8")
    }
    assert used == {
        "dynamic_range": {"evaluation": "eval"},
        "int8": {"evaluation": "eval", "calibration": "train"},
    }


def test_a_variant_without_a_file_is_recorded_as_failed_with_its_reasons(recorded):
    _, result = recorded

    run = children(result)["int16x8"]
    assert run.info.status == "FAILED"
    assert run.data.tags["verdict.reasons"] == "segfault: died by SIGSEGV"
    assert not run.data.metrics
    assert not run.outputs.model_outputs
    row = result.variants[-1]
    assert (row.bytes, row.uri, row.reasons) == (None, None, ("died by SIGSEGV",))


def test_the_selected_version_carries_its_verdict_and_the_table_of_all_variants(recorded):
    toy, result = recorded

    version = MlflowClient().get_model_version(toy.name, str(result.selected.version))
    assert version.tags["gate.state"] == "passed"
    assert version.tags["variant"] == "int8"
    assert version.tags["tflite_sha256"] == digest_file(toy.files["int8"])
    assert version.tags["baseline_sha256"] == digest_file(toy.files["float32"])
    assert float(version.tags["drop_high"]) == 0.007
    assert version.source.startswith("models:/m-")
    assert version.tags["verdict.sentence"] == "int8 passed, in one sentence"
    lines = version.description.splitlines()
    assert lines[0] == "**int8 passed, in one sentence**"
    assert len([line for line in lines if line.startswith("|")]) == 6, "two lines of head, four variants"
    assert "- int8 passed, in one sentence" in lines
    assert [line for line in lines if "latency as a share" in line and "int8 50.0 % (45.0 to 55.0)" in line]
    assert f'mlflow.pyfunc.load_model("models:/{toy.name}@champion")' in version.description
    assert f"models:/{toy.name}@champion" in MlflowClient().get_registered_model(toy.name).description


def test_every_variant_carries_its_verdict_as_one_sentence_as_data_and_as_files_for_people(recorded):
    toy, result = recorded
    run = children(result)["int8"]

    assert run.data.tags["verdict.sentence"] == "int8 passed, in one sentence"
    assert run.data.tags["mlflow.note.content"].startswith("**int8 passed, in one sentence**")
    expected = ["drift_reference.json", "explanation/classes.csv", "explanation/flipped.csv", "verdict.json"]
    for_outsiders = ["bom.cdx.json", "evidence.json", "statement.intoto.json"]
    assert artifacts(run) == sorted(expected + for_outsiders)
    uri = f"runs:/{run.info.run_id}"
    assert Verdict.model_validate_json(mlflow.artifacts.load_text(f"{uri}/verdict.json")) == toy.request().verdicts[2]
    assert mlflow.artifacts.load_text(f"{uri}/explanation/flipped.csv") == "flipped of int8\n"
    assert artifacts(children(result)["int16x8"]) == ["verdict.json"]


def test_a_row_carries_all_that_explains_its_verdict(recorded):
    toy, result = recorded
    row, verdict = result.variants[2], toy.request().verdicts[2]

    assert row.verdict == verdict.state
    for field in ("sentence", "confidence", "needed", "agreement", "clauses", "classes", "flipped", "flips"):
        assert getattr(row, field) == getattr(verdict, field), field


@pytest.mark.parametrize(
    ("name", "logged"), [("metrics.blur:Sharpness", "Sharpness"), ("m:bytes", "bytes_value"), ("top5", "top5")]
)
def test_a_metric_goes_by_a_name_that_mlflow_takes_and_that_nothing_else_has(toy, name, logged):
    request = toy.request(selected=None)
    facts = MetricFacts(name=name, higher_is_better=False, low=None, high=None)
    resolved = request.resolved.model_copy(update={"metric": facts})
    result = register.run(request.model_copy(update={"resolved": resolved}), toy.work)

    assert children(result)["int8"].data.metrics[logged] == 0.918
    assert (result.baseline.metric, result.baseline.higher_is_better, result.baseline.percent) == (name, False, False)
    baseline = MlflowClient().get_run(result.mlflow_run_id).data.metrics
    assert baseline[f"baseline_{logged}"] == 0.92


def test_another_value_of_the_baseline_is_another_record(toy):
    request = toy.request(selected=None)
    first = register.run(request, toy.work)
    baseline = request.verdicts[0].model_copy(update={"value": 0.93})
    second = register.run(request.model_copy(update={"verdicts": (baseline, *request.verdicts[1:])}), toy.work)

    assert second.mlflow_run_id != first.mlflow_run_id
    assert (first.baseline.value, second.baseline.value) == (0.92, 0.93)
    assert MlflowClient().get_run(first.mlflow_run_id).data.tags["litegate.superseded"] == "true"


def test_a_rejected_run_is_recorded_whole_but_registers_nothing(toy):
    result = register.run(toy.request(selected=None), toy.work)

    assert (result.outcome, result.selected) == ("rejected", None)
    run = MlflowClient().get_run(result.mlflow_run_id)
    assert (run.info.status, run.data.tags["outcome"]) == ("FINISHED", "rejected")
    assert run.data.tags["mlflow.note.content"].startswith("**Rejected: nothing may be promoted**")
    assert set(children(result)["int8"].data.metrics) == METRICS | DROPS
    assert len(logged_models(result)) == 3
    assert not MlflowClient().search_registered_models(f"name = '{toy.name}'")


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_number_that_is_not_finite_is_never_logged(toy, value):
    request = toy.request(selected=None)
    candidate = toy.candidate("int8")
    verdict = toy.verdict(candidate, "failed").model_copy(update={"value": value, "drop": value, "drop_low": value})
    result = register.run(
        request.model_copy(update={"candidates": (candidate,), "verdicts": (request.verdicts[0], verdict)}),
        toy.work,
    )

    assert not {"top1", "drop", "drop_low"} & set(children(result)["int8"].data.metrics)
    assert (result.variants[1].value, result.variants[1].drop) == (None, None)
    json.dumps(result.to_json(), allow_nan=False)


def test_bytes_that_mlflow_does_not_hold_as_judged_are_not_registered(toy, mlflow_server, monkeypatch):
    finalize = MlflowClient.finalize_logged_model

    def tampers(client, model_id, status):
        (file,) = mlflow_server.artifacts.rglob(f"{model_id}/artifacts/artifacts/*.tflite")
        file.write_bytes(file.read_bytes() + b"!")
        return finalize(client, model_id, status)

    monkeypatch.setattr(MlflowClient, "finalize_logged_model", tampers)
    with pytest.raises(StoreError, match="MLflow holds other bytes for int8"):
        register.run(toy.request(), toy.work)
    assert not MlflowClient().search_registered_models(f"name = '{toy.name}'")


def test_what_was_selected_must_have_passed_as_the_very_file_at_hand(toy):
    request = toy.request()
    failed = toy.request(selected=None).model_copy(update={"selection": request.selection})
    stranger = request.verdicts[2].model_copy(update={"digest": digest_bytes(b"another file")})
    broken = request.verdicts[2].clauses[0].model_copy(update={"state": "failed"})
    twin = request.verdicts[2].model_copy(update={"variant": "uint8", "state": "failed", "clauses": (broken,)})
    cases: list[tuple[dict[str, object], str]] = [
        ({"verdicts": failed.verdicts}, "its verdict is failed"),
        ({"verdicts": (request.verdicts[0], stranger)}, "is about another file"),
        ({"candidates": ()}, "int8 was selected"),
        ({"selection": Selection(variant="uint8", why="")}, "there is no verdict about it"),
        ({"verdicts": (*request.verdicts, twin)}, "another variant of the same bytes failed"),
    ]
    for changes, message in cases:
        with pytest.raises(StoreError, match=message):
            register.run(request.model_copy(update=changes), toy.work)
    assert MlflowClient().get_experiment_by_name(f"quantize/{toy.name}") is None


def test_how_a_file_was_recovered_is_recorded_with_it(toy):
    int8 = toy.candidate("int8")
    found = recovery()
    artifact = int8.artifact.model_copy(update={"recovery": found})
    searched = int8.model_copy(update={"artifact": artifact})
    result = register.run(toy.request(candidates=(toy.candidate("dynamic_range"), searched)), toy.work)
    runs = children(result)
    logged = mlflow.artifacts.load_dict(f"runs:/{runs['int8'].info.run_id}/recovery.json")
    assert Recovery.model_validate(logged) == found
    assert "Recovered: float32 for CONV" in runs["int8"].data.tags["mlflow.note.content"].replace("\\", "")
    rows = {row.variant: row.recovered for row in result.variants}
    assert "9,672 bytes more than int8" in rows["int8"]
    assert rows["dynamic_range"] == ""
    other = {each.path for each in MlflowClient().list_artifacts(runs["dynamic_range"].info.run_id)}
    assert "recovery.json" not in other


def test_what_the_file_is_and_its_warnings_are_recorded_with_the_variant(toy):
    int8 = toy.candidate("int8")
    finding = {"severity": "warning", "code": "weight_per_tensor", "message": "one scale", "count": 1}
    inspection = read_inspection(toy, int8, findings=({**finding, "examples": ("w",)},))
    smoke = {"samples": 32, "constant": False, "reference_samples": 32, "kernel_difference": 0.01}
    smoke |= {"variant": "int8", "artifact_digest": int8.artifact.file.digest, "kernel_agreement": 0.9}
    found = SmokeRun.model_validate(smoke | {"warnings": ("kernels differ",)})
    inspected = int8.model_copy(update={"inspection": inspection, "smoke": found})
    result = register.run(toy.request(candidates=(toy.candidate("dynamic_range"), inspected)), toy.work)
    run = children(result)["int8"]
    logged = mlflow.artifacts.load_dict(f"runs:/{run.info.run_id}/inspection.json")
    assert Inspection.model_validate(logged["inspection"]) == inspection
    assert SmokeRun.model_validate(logged["smoke"]) == found
    assert run.data.tags["file.scheme"] == inspection.scheme == "int8"
    assert run.data.tags["file.warnings"] == "weight_per_tensor: one scale; kernels differ"
    numbers = {name: run.data.metrics[name] for name in ("warnings", "float_operator_share", "kernel_agreement")}
    assert numbers == {"warnings": 2, "float_operator_share": 0, "kernel_agreement": 0.9}
    note = run.data.tags["mlflow.note.content"]
    assert "The file is **int8**" in note
    assert "- Warning: weight_per_tensor: one scale\n- Warning: kernels differ" in note
    row = next(row for row in result.variants if row.variant == "int8")
    assert (row.scheme, row.float_share, len(row.warnings)) == ("int8", 0.0, 2)
    assert next(row for row in result.variants if row.variant == "dynamic_range").scheme is None


def read_inspection(toy, candidate, **changes) -> Inspection:
    content = toy.work.path(candidate.artifact.file).read_bytes()
    found = inspect_file(read_file(content), candidate.artifact, None, "cpu")
    return Inspection.model_validate(found.model_dump() | changes)


def test_how_a_file_was_fine_tuned_is_recorded_with_it(toy):
    int8, found = toy.candidate("int8"), fine_tuning()
    trained = int8.model_copy(update={"artifact": int8.artifact.model_copy(update={"fine_tuning": found})})
    result = register.run(toy.request(candidates=(toy.candidate("dynamic_range"), trained)), toy.work)
    runs = children(result)
    logged = mlflow.artifacts.load_dict(f"runs:/{runs['int8'].info.run_id}/fine_tuning.json")
    assert FineTuning.model_validate(logged) == found
    assert "Fine-tuned: trained for 12 s as int8" in runs["int8"].data.tags["mlflow.note.content"].replace("\\", "")
    rows = {row.variant: row.fine_tuned for row in result.variants}
    assert rows["int8"].startswith("trained for 12 s")
    assert rows["dynamic_range"] == ""


def test_the_champion_s_outcomes_stay_as_long_as_the_verdict_that_compares_with_them(toy):
    baseline, champion = toy.candidate("float32"), toy.candidate("dynamic_range")
    outcomes = champion.evaluated.outcomes.model_copy(update={"digest": digest_bytes(b"the champion's")})
    champion = champion.model_copy(update={"evaluated": champion.evaluated.model_copy(update={"outcomes": outcomes})})
    request = toy.request()
    gate = GateRequest(
        policy=request.resolved.spec.gate,
        target="cpu",
        variants=("int8",),
        baseline=baseline,
        candidates=request.candidates[1:],
        champion=champion,
    )
    result = register.run(request.model_copy(update={"gate": gate}), toy.work)
    kept = json.loads(mlflow.artifacts.load_text(f"runs:/{result.mlflow_run_id}/workspace.json"))
    assert outcomes.digest in {file["digest"] for file in kept}
