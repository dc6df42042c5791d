"""The executor of the embedded stack: what becomes of tasks whose worker is killed."""

from __future__ import annotations

import inspect
import os
import select
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
import structlog
from airflow.api_fastapi.execution_api.routes import task_instances
from airflow.executors.base_executor import BaseExecutor
from airflow.sdk.execution_time import coordinator, supervisor
from airflow.sdk.execution_time.comms import RescheduleTask, SucceedTask
from airflow.sdk.execution_time.supervisor import ActivitySubprocess, PsutilTracker

from litegate_airflow import server
from litegate_airflow.executor import ProcessPerTask, PromptSubprocess, Worker


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
    for worker in executor.running_workers:
        worker.process.kill()
    executor.end()


def a_task_that_runs(folder: Path) -> None:
    """As Airflow's supervisor does: a fork of the worker is the task."""
    number = os.fork()
    if number == 0:
        signal.pause()
        os._exit(0)
    (folder / "written").write_text(str(number))
    (folder / "written").rename(folder / "task")
    os.waitpid(number, 0)


def ended(executor: ProcessPerTask) -> dict[str, str]:
    """What it tells the scheduler of the tasks whose workers have ended."""
    for worker in executor.running_workers:
        worker.process.join()
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


def test_what_has_to_be_ready_for_the_tasks_of_a_dag_is_before_their_workers_are_forked(executor, monkeypatch):
    ready: list[str] = []
    monkeypatch.setattr(ProcessPerTask, "before_tasks", [ready.append])
    monkeypatch.setattr(BaseExecutor, "run_workload", lambda workload, **_: None if ready == ["d"] else 1 / 0)
    task, callback = Workload("task"), Workload("callback")
    object.__setattr__(task, "ti", SimpleNamespace(dag_id="d"))
    executor.running = {"task", "callback"}
    executor._process_workloads([task, callback])
    assert ended(executor) == {"task": "success", "callback": "success"}


def test_a_killed_worker_takes_its_task_along_and_the_task_fails_at_once(executor, monkeypatch, tmp_path):
    monkeypatch.setattr(BaseExecutor, "run_workload", lambda *_, **__: a_task_that_runs(tmp_path))
    executor._process_workloads([Workload("killed")])
    while not (tmp_path / "task").exists():
        time.sleep(0.01)
    task = psutil.Process(int((tmp_path / "task").read_text()))
    (worker,) = executor.running_workers
    worker.process.kill()
    assert ended(executor) == {"killed": "failed"}
    assert executor.event_buffer["killed"][1] == "its worker ended with -9"
    task.wait(10)


def test_a_worker_that_is_killed_is_in_nobodys_way(executor, monkeypatch):
    """Workers share nothing: Airflow's own share the lock of a queue."""
    monkeypatch.setattr(BaseExecutor, "run_workload", lambda workload, **_: workload.key == "first" and signal.pause())
    executor._process_workloads([Workload("first")])
    executor.running_workers[0].process.kill()
    executor._process_workloads([Workload("second")])
    assert ended(executor) == {"first": "failed", "second": "success"}


def test_workers_end_with_the_scheduler(tmp_path, monkeypatch):
    monkeypatch.setattr(BaseExecutor, "run_workload", lambda *_, **__: signal.pause())
    scheduler = os.fork()
    if scheduler == 0:
        executor = ProcessPerTask(parallelism=1)
        executor._process_workloads([Workload("key")])
        (tmp_path / "worker").write_text(str(executor.running_workers[0].process.pid))
        signal.pause()
    while not (tmp_path / "worker").exists() or not (tmp_path / "worker").read_text():
        time.sleep(0.01)
    worker = psutil.Process(int((tmp_path / "worker").read_text()))
    os.kill(scheduler, signal.SIGKILL)
    os.waitpid(scheduler, 0)
    worker.wait(10)


SUCCEEDED = SucceedTask(end_date=datetime(2026, 1, 1, tzinfo=UTC), task_outlets=[], outlet_events=[])
PUT_OFF = RescheduleTask(reschedule_date=datetime(2026, 1, 1, tzinfo=UTC), end_date=datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def tells(executor, monkeypatch, tmp_path) -> Callable[..., Worker]:
    """The worker of a task that ended so, of which Airflow can be told or not; the task's process is not gone yet."""

    def ends(message: object, *, heard: bool = True) -> Worker:
        def run(*_: object, **__: object) -> None:
            if os.fork() == 0:
                signal.pause()
            with suppress(ConnectionError):
                watched(os.getpid())._send_terminal_state_msg(message)
            (tmp_path / "told").touch()
            signal.pause()

        def send(*_: object) -> None:
            if not heard:
                raise ConnectionError

        monkeypatch.setattr(ActivitySubprocess, "_send_terminal_state_msg", send)
        monkeypatch.setattr(BaseExecutor, "run_workload", run)
        executor._process_workloads([Workload("key")])
        while not (tmp_path / "told").exists():
            time.sleep(0.01)
        (worker,) = executor.running_workers
        return worker

    return ends


def test_a_success_is_heard_once_it_is_told_and_not_when_all_is_cleaned_up(executor, tells):
    worker = tells(SUCCEEDED)
    assert select.select([worker], [], [], 60)[0] == [worker]
    executor.sync()
    assert executor.running_workers == [worker], "it goes on"


@pytest.mark.parametrize(("message", "heard"), [(SUCCEEDED, False), (PUT_OFF, True)])
def test_nothing_is_heard_of_what_airflow_does_not_know_or_will_go_on(tells, message, heard):
    worker = tells(message, heard=heard)
    assert select.select([worker], [], [], 0)[0] == []
    worker.process.kill()
    assert select.select([worker], [], [], 60)[0] == [worker]


def test_that_a_task_begins_is_its_first_heartbeat(monkeypatch):
    """Airflow's server says so too: it writes the time down."""
    said: list[str] = []
    monkeypatch.setattr(PromptSubprocess, "send_msg", lambda *_, **__: None)
    context = SimpleNamespace(should_retry=False, start_date=None)
    begun = SimpleNamespace(
        start=lambda *_: said.append("begins") or context, heartbeat=lambda *_, **__: said.append("lives")
    )
    process = watched(os.getpid(), SimpleNamespace(task_instances=begun))
    ti = SimpleNamespace(id=uuid.uuid4())
    process._on_child_started(ti=ti, dag_rel_path="", bundle_info=None, sentry_integration="")
    process._send_heartbeat_if_needed()
    assert said == ["begins"]
    process._last_heartbeat_attempt -= supervisor.MIN_HEARTBEAT_INTERVAL
    process._send_heartbeat_if_needed()
    assert said == ["begins", "lives"]
    assert "last_heartbeat_at=timezone.utcnow()" in inspect.getsource(task_instances.ti_run)


def watched(number: int, client: object = None, **known: Any) -> PromptSubprocess:
    """A process as the worker of its task sees it."""
    return PromptSubprocess(
        id=uuid.uuid4(),
        pid=number,
        stdin=known.pop("stdin", None),
        process=PsutilTracker(psutil.Process(number)),
        process_log=structlog.get_logger(),
        client=client,
        **known,
    )


@pytest.mark.parametrize("closed", [False, True])
def test_the_end_of_a_task_is_looked_for_where_nothing_else_is_heard(closed):
    """The kernel closes the sockets of a process before its parent can know that it has ended."""
    waits: list[float] = []
    selector = SimpleNamespace(select=lambda timeout: waits.append(timeout) or ())
    task, (ours, theirs) = subprocess.Popen(["sleep", "600"]), socket.socketpair()
    process = watched(task.pid, stdin=ours, selector=selector)
    process._open_sockets = {} if closed else {theirs: "stdout"}
    assert process._service_subprocess(5.0) is None
    assert waits == [0.01 if closed else 5.0]
    task.kill()
    task.wait()
    ours.close()
    theirs.close()


def test_the_embedded_scheduler_watches_its_tasks_so():
    given = Path(server.__file__).read_text()
    assert 'setattr(supervisor, "ActivitySubprocess", PromptSubprocess)' in given
    assert "from airflow.sdk.execution_time.supervisor import ActivitySubprocess" in inspect.getsource(coordinator)
