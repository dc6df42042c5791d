"""The steps of one task at the same time: all results, or the failure of the one that failed."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from litegate.errors import BadInput
from litegate.pipeline.tasks import task_of
from litegate.records import ResolveRequest
from litegate.spec import parse_spec
from litegate_airflow.operators.check import CheckOperator
from tests.dags.pretended import Steps
from tests.operators.operators.test_gate import SPEC
from tests.operators.wiring import NAMED

JOBS = task_of("lint").jobs


def run(ti: Any, steps: Steps, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the task returns."""
    monkeypatch.setattr("litegate_airflow.operators.step.StepRun", steps)
    ti.values["resolve", -1, "resolved"] = steps.resolve(
        ResolveRequest(spec=parse_spec(SPEC), folder="/nowhere")
    ).to_json()
    ti.values["convert", -1, "return_value"] = steps.convert(None).to_json()
    ti.values["sample", -1, "return_value"] = steps.sample(None).to_json()
    ti.task = operator = CheckOperator(upstream=NAMED, task_id="check")
    return operator.execute({"ti": ti})


def test_each_step_leaves_its_result(ti: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = Steps()
    assert set(run(ti, steps, monkeypatch)) == set(map(str, JOBS))
    name = parse_spec(SPEC).model.name
    assert steps.labels == {f"{name}/all", f"{name}/float32"}, "by which their times are kept"


@pytest.mark.parametrize("job", JOBS, ids=str)
def test_a_failure_bears_the_name_of_its_step(ti: Any, monkeypatch: pytest.MonkeyPatch, job: Any) -> None:
    refused = BadInput("calibration.uri", "samples", "others")
    with pytest.raises(AirflowFailException, match=r"calibration\.uri"):
        run(ti, Steps({(job.step, "float32"): refused}), monkeypatch)
    failure = ti.pushed("failure")
    assert (failure["step"], failure["variant"] or "", failure["kind"]) == (*job, "bad_input")
