"""The servers of the embedded stack are Airflow's own, prepared."""

from __future__ import annotations

import subprocess
import sys

import pytest

from litegate.bell import parse_bell_in, ring
from litegate_airflow.server import PromptDagProcessor


def test_whoever_rings_ends_the_wait_of_the_dag_processor_once(tmp_path, monkeypatch):
    monkeypatch.setenv("LITEGATE_HOME", str(tmp_path))
    processor = PromptDagProcessor(max_runs=1)
    processor.prepare_process_context()
    for _ in range(2):  # it goes on to listen
        ring(parse_bell_in(tmp_path))
        assert processor.selector.select(0)
        processor._service_processor_sockets(60)
        assert not processor.selector.select(0)


@pytest.mark.parametrize(("name", "option"), [("scheduler", "--skip-serve-logs"), ("dag-processor", "--bundle-name")])
def test_it_is_airflows_own_command_that_is_run(name, option):
    command = [sys.executable, "-m", "litegate_airflow.server", name, "--help"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert option in done.stdout


STARTED = """
import airflow.__main__, runpy
from litegate_airflow.executor import ProcessPerTask
airflow.__main__.main = lambda: print([each.__qualname__ for each in ProcessPerTask.before_tasks])
runpy.run_module("litegate_airflow.server", run_name="__main__")
"""


def test_the_scheduler_makes_dags_before_it_forks_their_workers():
    done = subprocess.run([sys.executable, "-c", STARTED], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1:] == ["['make_ahead']"], done.stderr
