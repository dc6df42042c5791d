"""Which tasks run, fail or are skipped, with Airflow's own scheduling and steps that only pretend."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from litegate.errors import BadInput
from tests.dags.pretended import CRASH, FILE, Outcome, Run, Steps, artifact
from tests.operators.runtime.test_run_records import inspection, smoke


def test_every_task_succeeds_and_the_best_variant_is_promoted(usual_run: Outcome) -> None:
    assert {str(instance.state) for instance in usual_run.tasks.values()} == {"success"}
    assert usual_run.pull("resolve") == ["dynamic_range", "int8"]
    assert usual_run.pull("promote")["champion"]["variant"] == "dynamic_range"
    assert usual_run.note == "promoted v1 dynamic_range: dynamic_range passed"


def test_the_baseline_and_each_variant_are_measured_on_their_own_terms(usual_run: Outcome) -> None:
    requests = usual_run.steps.requests
    limits = {variant: request.max_samples for (step, variant), request in requests.items() if step == "evaluate"}
    assert limits == {"float32": 50, "dynamic_range": 50, "int8": 20}
    assert [item.variant for item in requests["benchmark", ""].files] == ["float32", "dynamic_range", "int8"]
    assert requests["register", ""].run_key.startswith("quantize__m/")


def test_each_file_is_inspected_and_run_beside_the_baseline(usual_run: Outcome) -> None:
    requests = usual_run.steps.requests
    for step in ("inspect", "smoke"):
        assert requests[step, "float32"].baseline is None
        assert requests[step, "int8"].artifact == artifact("int8")
        assert requests[step, "int8"].baseline == artifact("float32")
    candidates = requests["gate", ""].candidates
    assert [(item.inspection, item.smoke) for item in candidates] == [
        (inspection(name), smoke(name)) for name in ("dynamic_range", "int8")
    ]
    assert requests["gate", ""].baseline.inspection == inspection("float32")


def test_a_single_variant_reaches_the_gate(run_flow: Run) -> None:
    outcome = run_flow(Steps(), variants="[int8]")
    assert [item.artifact.variant for item in outcome.steps.requests["gate", ""].candidates] == ["int8"]
    assert outcome.pull("promote")["champion"]["variant"] == "int8"


def test_variants_that_fail_are_judged_and_do_not_stop_the_others(run_flow: Run) -> None:
    failing = {"float16": "quantize", "int8_float_fallback": "inspect", "int8": "smoke", "uint8": "evaluate"}
    steps = Steps({(step, variant): CRASH for variant, step in failing.items()})
    outcome = run_flow(steps, variants=f"[dynamic_range, {', '.join(failing)}]")
    failures = outcome.steps.requests["gate", ""].failures
    assert {failure.variant: failure.step for failure in failures} == failing
    assert {failure.kind for failure in failures} == {"segfault"}
    states = {variant: outcome.state(f"quantize/{variant}") for variant in ("dynamic_range", *failing)}
    assert states == dict.fromkeys(failing, "failed") | {"dynamic_range": "success", "uint8": "success"}
    assert ("smoke", "int8_float_fallback") not in outcome.steps.requests
    assert [item.variant for item in outcome.steps.requests["benchmark", ""].files] == ["float32", "dynamic_range"]
    assert outcome.pull("promote")["champion"]["variant"] == "dynamic_range"


def test_variants_are_quantized_from_one_calibrated_model(usual_run: Outcome) -> None:
    requests = usual_run.steps.requests
    assert requests["quantize", "int8"].calibrated == FILE
    assert (requests["quantize", "int8"].saved_model, requests["quantize", "int8"].samples) == ((), None)
    assert requests["quantize", "dynamic_range"].calibrated is None
    assert requests["quantize", "dynamic_range"].saved_model == (FILE,)


def test_a_calibration_that_fails_leaves_it_to_each_variant(run_flow: Run) -> None:
    outcome = run_flow(Steps({("calibrate", ""): CRASH}))
    assert {str(instance.state) for instance in outcome.tasks.values()} == {"success"}
    request = outcome.steps.requests["quantize", "int8"]
    assert (request.calibrated, request.saved_model, request.samples.samples) == (None, (FILE,), 3)


def test_nothing_is_calibrated_where_no_variant_is(run_flow: Run) -> None:
    outcome = run_flow(Steps(), {"variants": ["dynamic_range"]})
    assert ("calibrate", "") not in outcome.steps.requests
    assert (outcome.state("calibrate"), outcome.state("register")) == ("success", "success")
    assert "calibrate" not in run_flow(Steps(), variants="[float16]").tasks


def test_a_single_variant_that_fails_is_rejected_on_record(run_flow: Run) -> None:
    outcome = run_flow(Steps({("quantize", "int8"): CRASH}), variants="[int8]")
    assert outcome.state("register") == "success"
    assert outcome.state("promote") == "failed"


def test_bad_input_stops_the_run_before_the_gate(run_flow: Run) -> None:
    outcome = run_flow(Steps({("resolve", ""): BadInput("model.uri", "a model", "nothing")}))
    assert outcome.state("resolve") == outcome.state("gate") == "failed"
    assert outcome.state("promote") == "upstream_failed"
    assert outcome.pull("resolve", "failure")["kind"] == "bad_input"
    assert "the task check did not succeed (upstream_failed)" in outcome.pull("gate", "failure")["message"]
    assert outcome.note == "resolve failed: model.uri: expected a model, got nothing"


def test_a_broken_spec_fails_with_its_problem(
    load_dags: Callable[..., Any], run_dag: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "broken.yaml").write_text("modle: {}")
    (instance,) = run_dag(load_dags(tmp_path)["quantize__broken"]).get_task_instances()
    assert str(instance.state) == "failed"
    failure = instance.xcom_pull(task_ids="resolve", key="failure")
    assert failure["kind"] == "bad_input"
    assert "broken.yaml: model: expected a value, the key is required, got nothing" in failure["message"]


def test_nothing_is_measured_or_judged_where_a_check_refuses_what_it_sees(run_flow: Run) -> None:
    refused = BadInput("model.uri m.keras", "a float32 model", "one with 3 quantized weights")
    outcome = run_flow(Steps({("inspect", "float32"): refused}))
    failure = outcome.pull("check", "failure")
    assert (failure["step"], failure["kind"], failure["variant"]) == ("inspect", "bad_input", "float32")
    states = {"check": "failed", "evaluate": "skipped", "benchmark": "skipped", "gate": "failed"}
    assert {task: outcome.state(task) for task in states} == states
    assert outcome.state("promote") == "upstream_failed"
    assert not {"gate", "evaluate", "quantize"} & {name for name, _ in outcome.steps.requests}


def test_the_gate_fails_without_a_baseline(run_flow: Run) -> None:
    outcome = run_flow(Steps({("evaluate", "float32"): CRASH}))
    assert (outcome.state("evaluate"), outcome.state("gate")) == ("failed", "failed")
    assert outcome.state("promote") == "upstream_failed"
    assert outcome.pull("evaluate", "failure")["variant"] == "float32"
    assert "evaluate did not succeed (failed)" in outcome.pull("gate", "failure")["message"]


@dataclass(frozen=True)
class Rejection:
    on_reject: str
    state: str


@pytest.mark.parametrize("row", [Rejection("fail", "failed"), Rejection("skip", "skipped")], ids=str)
def test_a_rejected_run_is_recorded_and_ends_as_the_spec_says(
    run_flow: Run, row: Rejection, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = run_flow(Steps(passing=False), on_reject=row.on_reject)
    assert outcome.state("register") == "success"
    assert outcome.state("promote") == row.state
    reason = "rejected: nothing passed the gate: dynamic_range, int8 could not be built or measured"
    assert outcome.note == reason
    out, err = capsys.readouterr()
    assert reason in out + err
    assert "Traceback" not in out + err, "a rejection is no error"
    assert outcome.tasks["promote"].try_number == 1, "nor is it tried again"
    failure = outcome.pull("promote", "failure")
    if row.on_reject == "fail":
        assert failure["kind"] == "rejected"
        assert failure["message"] == reason
    else:
        assert failure is None


TRIED = {"gate.max_drop": 0.5, "variants": ["int8"]}


def test_an_override_run_is_made_by_the_changed_values_and_ends_with_register(run_flow: Run) -> None:
    outcome = run_flow(Steps(), TRIED)
    requests = outcome.steps.requests
    assert outcome.pull("lookup_cache") == ["int8"]
    assert requests["gate", ""].policy.max_drop == 0.5
    assert str(requests["register", ""].resolved.overrides) == "variants int8 (spec: dynamic_range int8), " + (
        "gate.max_drop 0.5 (spec: 0.01)"
    )
    assert outcome.state("register") == "success"
    assert outcome.state("promote") == "skipped"
    assert ("promote", "") not in requests


def test_every_task_links_to_mlflow_once_the_run_is_registered(run_flow: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITEGATE_MLFLOW_URL", "https://mlflow.example/")
    outcome = run_flow(Steps(), from_champion="0.01")
    mode = "?workflowType=machine_learning"
    runs = "https://mlflow.example/#/experiments/1/runs"
    for name, instance in outcome.tasks.items():
        own = instance.rendered_map_index
        assert outcome.pull(name, "_link_RunLink") == f"{runs}/run-{own or 1}{mode}", name
        assert outcome.pull(name, "_link_ReportLink") == f"{runs}/run-1/artifacts/report.html{mode}", name
        artifact = outcome.pull(name, "_link_ArtifactLink")
        assert artifact == (f"https://mlflow.example/#/experiments/1/models/m-{own}/artifacts{mode}" if own else None)
    version = f"https://mlflow.example/#/models/m/versions/1{mode}"
    assert outcome.pull("register", "_link_VersionLink") == outcome.pull("promote", "_link_VersionLink") == version
