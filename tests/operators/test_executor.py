"""The executor of the embedded stack: what becomes of tasks whose worker is killed."""

from __future__ import annotations

import inspect
import os
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import structlog
from airflow.executors.base_executor import BaseExecutor
from airflow.sdk.execution_time import coordinator
from airflow.sdk.execution_time.supervisor import PsutilTracker

from litegate_airflow import server
from litegate_airflow.executor import ProcessPerTask, PromptSubprocess


@dataclass(frozen=True)
class Workload:
    """What the executor asks of a task."""

    key: str
    success_state: str = "success"
    failure_state: str = "failed"
    running_state: str | None = None

    @property
    def display_name(self) -> str:
        return self.key


@pytest.fixture
def executor() -> Iterator[ProcessPerTask]:
    executor = ProcessPerTask(parallelism=2)
    executor.start()
    yield executor
    for process, _ in executor.running_workers:
        process.kill()
    executor.end()


def a_task_that_runs(folder: Path) -> None:
    """As Airflow's supervisor does: a fork of the worker is the task."""
    number = os.fork()
    if number == 0:
        signal.pause()
        os._exit(0)
    (folder / "task").write_text(str(number))
    os.waitpid(number, 0)


def ended(executor: ProcessPerTask) -> dict[str, str]:
    """What it tells the scheduler of the tasks whose workers have ended."""
    for process, _ in executor.running_workers:
        process.join()
    executor.sync()
    return {key: state for key, (state, _) in executor.event_buffer.items()}


def test_what_ends_well_succeeds_and_what_raises_fails(executor, monkeypatch):
    monkeypatch.setattr(BaseExecutor, "run_workload", lambda workload, **_: {"good": 1}[workload.key])
    executor.running = {"good", "bad"}
    executor.queued_tasks = {"good": None, "bad": None}
    executor._process_workloads([Workload("good"), Workload("bad")])
    assert executor.queued_tasks == {}
    assert ended(executor) == {"good": "success", "bad": "failed"}
    assert executor.running == set()


def test_what_has_a_state_of_running_is_said_to_run(executor, monkeypatch):
    """Callbacks have one; a task says so itself."""
    monkeypatch.setattr(BaseExecutor, "run_workload", lambda *_, **__: None)
    executor.running = {"callback"}
    executor._process_workloads([Workload("callback", running_state="running")])
    assert (executor.event_buffer, executor.running) == ({"callback": ("running", None)}, {"callback"})
    assert ended(executor) == {"callback": "success"}


def test_a_killed_worker_takes_its_task_along_and_the_task_fails_at_once(executor, monkeypatch, tmp_path):
    monkeypatch.setattr(BaseExecutor, "run_workload", lambda *_, **__: a_task_that_runs(tmp_path))
    executor._process_workloads([Workload("killed")])
    while not (tmp_path / "task").exists():
        time.sleep(0.01)
    task = psutil.Process(int((tmp_path / "task").read_text()))
    ((worker, _),) = executor.running_workers
    worker.kill()
    assert ended(executor) == {"killed": "failed"}
    assert executor.event_buffer["killed"][1] == "its worker ended with -9"
    task.wait(10)


def test_a_worker_that_is_killed_is_in_nobodys_way(executor, monkeypatch):
    """Workers share nothing: Airflow's own share the lock of a queue."""
    monkeypatch.setattr(BaseExecutor, "run_workload", lambda workload, **_: workload.key == "first" and signal.pause())
    executor._process_workloads([Workload("first")])
    executor.running_workers[0][0].kill()
    executor._process_workloads([Workload("second")])
    assert ended(executor) == {"first": "failed", "second": "success"}


def test_workers_end_with_the_scheduler(tmp_path, monkeypatch):
    monkeypatch.setattr(BaseExecutor, "run_workload", lambda *_, **__: signal.pause())
    scheduler = os.fork()
    if scheduler == 0:
        executor = ProcessPerTask(parallelism=1)
        executor._process_workloads([Workload("key")])
        (tmp_path / "worker").write_text(str(executor.running_workers[0][0].pid))
        signal.pause()
    while not (tmp_path / "worker").exists() or not (tmp_path / "worker").read_text():
        time.sleep(0.01)
    worker = psutil.Process(int((tmp_path / "worker").read_text()))
    os.kill(scheduler, signal.SIGKILL)
    os.waitpid(scheduler, 0)
    worker.wait(10)


@pytest.mark.parametrize("closed", [False, True])
def test_the_end_of_a_task_is_looked_for_where_nothing_else_is_heard(closed):
    """The kernel closes the sockets of a process before its parent can know that it has ended."""
    waits: list[float] = []
    selector = SimpleNamespace(select=lambda timeout: waits.append(timeout) or ())
    task, (ours, theirs) = subprocess.Popen(["sleep", "600"]), socket.socketpair()
    watched = PromptSubprocess(
        id=uuid.uuid4(),
        pid=task.pid,
        stdin=ours,
        process=PsutilTracker(psutil.Process(task.pid)),
        process_log=structlog.get_logger(),
        selector=selector,
        client=None,
    )
    watched._open_sockets = {} if closed else {theirs: "stdout"}
    assert watched._service_subprocess(5.0) is None
    assert waits == [0.01 if closed else 5.0]
    task.kill()
    task.wait()
    ours.close()
    theirs.close()


def test_the_embedded_scheduler_watches_its_tasks_so():
    given = Path(server.__file__).read_text()
    assert 'setattr(supervisor, "ActivitySubprocess", PromptSubprocess)' in given
    assert "from airflow.sdk.execution_time.supervisor import ActivitySubprocess" in inspect.getsource(coordinator)
