"""The servers of the embedded stack: they look for work as soon as there is some, and seldom while there is none."""

from __future__ import annotations

import inspect
import select
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy
from airflow.executors.base_executor import BaseExecutor
from airflow.jobs.job import Job
from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
from airflow.models import DagRun
from sqlalchemy.orm import Session

from litegate.bell import bell_in, hearing_the_end, parse_bell_in, ring
from litegate_airflow import server
from litegate_airflow.executor import ProcessPerTask
from litegate_airflow.server import PatientScheduler, PromptDagProcessor, look_first
from tests.operators.test_executor import Workload


@pytest.fixture
def scheduler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PatientScheduler]:
    monkeypatch.setenv("LITEGATE_HOME", str(tmp_path))
    monkeypatch.setattr(DagRun, "DEFAULT_DAGRUNS_TO_EXAMINE", 5)  # which it changes for its whole process
    executor = ProcessPerTask()
    scheduler = PatientScheduler(Job(), executors=[executor], scheduler_idle_sleep_time=0.25)
    executor.start()
    yield scheduler
    executor.end()
    scheduler.bell.close()


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long it was ready to wait, each time."""
    times: list[float] = []

    def wait(readers: list[int], seconds: float) -> list[int]:
        times.append(seconds)
        return select.select(readers, [], [], 0)[0]

    monkeypatch.setattr(server, "wait", wait)
    return times


def pause(scheduler: PatientScheduler) -> float:
    """What Airflow asks for after each look that found nothing."""
    assert "time.sleep(min(self._scheduler_idle_sleep_time," in inspect.getsource(SchedulerJobRunner)
    return scheduler._scheduler_idle_sleep_time


def test_it_rests_where_nothing_was_heard_of_a_task(scheduler, waited):
    assert pause(scheduler) == 0
    assert waited == [PatientScheduler.REST]


def test_the_end_of_a_task_ends_its_wait_and_makes_it_eager_for_some_time(scheduler, waited, monkeypatch):
    monkeypatch.setattr(BaseExecutor, "run_workload", lambda *_, **__: None)
    (executor,) = scheduler.executors
    executor._process_workloads([Workload("key")])
    ((process, _),) = executor.running_workers
    process.join()
    assert pause(scheduler) == 0
    executor.sync()
    assert pause(scheduler) == 0
    assert waited == [PatientScheduler.REST, 0.25]
    scheduler._heard -= PatientScheduler.LINGER
    pause(scheduler)
    assert waited[2:] == [PatientScheduler.REST]


def test_whoever_rings_ends_its_wait_and_makes_it_eager(scheduler, waited, tmp_path):
    ring(bell_in(tmp_path))
    pause(scheduler)
    pause(scheduler)
    pause(scheduler)
    assert waited == [PatientScheduler.REST, 0.25, 0.25]


def test_it_looks_at_few_runs_when_it_has_heard_something_and_at_more_when_not(
    scheduler, waited, tmp_path, monkeypatch
):
    monkeypatch.setattr(scheduler, "_runs", 5)
    looked_at = []
    for rings in (True, False):
        if rings:
            ring(bell_in(tmp_path))
        pause(scheduler)
        looked_at.append(DagRun.DEFAULT_DAGRUNS_TO_EXAMINE)
    assert looked_at == [PatientScheduler.FEW, 5]
    assert ".limit(cls.DEFAULT_DAGRUNS_TO_EXAMINE)" in inspect.getsource(DagRun.get_running_dag_runs_to_examine)


def test_a_run_whose_task_has_ended_is_looked_at_before_the_others():
    engine = sqlalchemy.create_engine("sqlite://")
    DagRun.__table__.create(engine)
    with Session(engine) as session:
        now = datetime(2026, 1, 1, tzinfo=UTC)
        for number in range(3):
            run = {"run_id": "r", "run_type": "manual", "state": "running", "run_after": now, "log_template_id": 1}
            decided = now + timedelta(seconds=number)
            session.execute(
                sqlalchemy.insert(DagRun).values(dag_id=f"d{number}", last_scheduling_decision=decided, **run)
            )

        by_decision = sqlalchemy.select(DagRun.dag_id).order_by(DagRun.last_scheduling_decision.nulls_first())

        def order() -> list[str]:
            return list(session.scalars(by_decision))

        assert order() == ["d0", "d1", "d2"]
        look_first(session, {("d2", "r"), ("d1", "another")})
        assert order() == ["d2", "d0", "d1"]
    assert "cls.last_scheduling_decision), session=session" in inspect.getsource(DagRun), "that is Airflow's own order"


def test_whoever_follows_a_run_hears_that_it_has_ended_and_not_before(scheduler, tmp_path, monkeypatch):
    states = iter(["running", "success"])
    run = SimpleNamespace(dag_id="quantize__a", run_id="r", state="running")

    def scheduled(*_: object) -> list[tuple[SimpleNamespace, None]]:
        run.state = next(states)
        return [(run, None)]

    monkeypatch.setattr(SchedulerJobRunner, "_schedule_all_dag_runs", scheduled)
    with hearing_the_end(tmp_path, run.dag_id, run.run_id) as bell:
        assert scheduler._schedule_all_dag_runs(None, [run], None) == [(run, None)]
        assert not bell.rang()
        scheduler._schedule_all_dag_runs(None, [run], None)
        assert bell.rang()


def test_airflow_asks_for_all_runs_there_and_has_written_what_it_returns():
    source = inspect.getsource(SchedulerJobRunner._schedule_all_dag_runs)
    assert "guard.commit()\n        return callback_tuples" in source
    assert "self._schedule_all_dag_runs(guard, dag_runs, session)" in inspect.getsource(SchedulerJobRunner)


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
