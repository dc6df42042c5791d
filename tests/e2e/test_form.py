"""The form of a manual run at the real API: what the spec could not have never begins."""

from __future__ import annotations

from typing import Any

import pytest

from litegate.cli.dags import wait_for_dag
from litegate.errors import StackError
from litegate.stack import Home, running
from litegate.stack.airflow_api import AirflowApi, RunId

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize(("key", "value"), [("gate.max_drop", -0.01), ("variants", ["int9"])])
def test_a_value_out_of_range_is_refused_before_the_run_begins(litegate: Any, key: str, value: Any) -> None:
    home = Home(litegate.home)
    data = {"uri": "data.npz", "format": "npz"}
    specs = litegate.home / "specs"
    litegate.write_spec(specs, model={"name": "formed", "uri": "m.keras"}, calibration=data, evaluation=data)
    run = RunId("quantize__formed", "out-of-range")
    stack = running(home)
    assert stack is not None
    with AirflowApi(stack.airflow_url, home.password_file.read_text()) as airflow:
        wait_for_dag(airflow, home.root, run.dag)
        with pytest.raises(StackError, match=f"HTTP 400.*Invalid input for param {key}"):
            airflow.trigger(run, {key: value})
        with pytest.raises(StackError, match="HTTP 404"):
            airflow.state(run)
