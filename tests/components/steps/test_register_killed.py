"""Recording that is cut short from outside: MLflow is not left with runs that look as if they went on."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from litegate.execution.executors.process import ChildProcess
from litegate.execution.executors.started import StartedProcess
from litegate.steps import STEPS, register

pytestmark = pytest.mark.usefixtures("mlflow_url")

RUN_STEP = """
import pathlib, sys
from litegate.steps.child import run_step
sys.exit(run_step("register", pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])))
"""


def recorded(name: str) -> list[Run]:
    found = MlflowClient().get_experiment_by_name(f"quantize/{name}")
    return [] if found is None else list(MlflowClient().search_runs([found.experiment_id]))


def child_that_records(toy, folder: Path) -> ChildProcess:
    """The step's process once it has a parent run and a variant's run in MLflow, neither of them ended."""
    (folder / "request.json").write_text(toy.request().model_dump_json())
    command = [sys.executable, "-c", RUN_STEP, str(folder), str(toy.folder / "cache")]
    child = ChildProcess(StartedProcess(command, os.environ, folder), lambda _: True, print)
    deadline = time.monotonic() + 120
    while [run.info.status for run in recorded(toy.name)].count("RUNNING") < 2:
        assert time.monotonic() < deadline, "it records nothing"
        time.sleep(0.01)
    return child


def test_a_recording_that_is_to_end_has_time_to_end_its_runs(toy, tmp_path):
    child = child_that_records(toy, tmp_path)
    killer = threading.Timer(0, child.end, (STEPS["register"].grace * 10,))  # the machine may be busy
    killer.start()
    child.follow(120)
    killer.join()

    ended = {run.info.status for run in recorded(toy.name)}
    assert ended - {"FINISHED", "FAILED"} == {"KILLED"}, "a variant without a file is FAILED"

    result = register.run(toy.request(), toy.work)
    states = {run.info.run_id: run.info.status for run in recorded(toy.name)}
    assert states[result.mlflow_run_id] == "FINISHED"
    assert "KILLED" not in states.values(), "the next try takes them up"
