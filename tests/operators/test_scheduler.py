"""The scheduler of the embedded stack: it looks for work as soon as there is some, and seldom while there is none."""

from __future__ import annotations

import inspect
import select
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy
from airflow.executors.base_executor import BaseExecutor
from airflow.jobs.job import Job
from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
from airflow.models import DagRun
from airflow.models.taskinstancekey import TaskInstanceKey
from airflow.utils.state import TaskInstanceState
from sqlalchemy.orm import Session

from litegate.bell import bell_in, hearing_the_end, ring
from litegate.settings import settings
from litegate.steps import STEPS
from litegate_airflow import scheduler as scheduling
from litegate_airflow.executor import ProcessPerTask, Worker
from litegate_airflow.scheduler import PatientScheduler, look_first
from tests.operators.test_executor import Workload

source = cache(inspect.getsource)
"""Of Airflow's own; to find a class of thousands of lines takes a while."""
ASIDE = [
    *("_create_dagruns_for_dags", "_start_queued_dagruns"),
    *("_enqueue_executor_callbacks", "_enqueue_connection_tests"),
]
"""What Airflow does beside looking at the tasks of runs."""


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[tuple[set[str], set[Path]]]:
    """Of which steps and environments it has read the source, which takes a while."""
    found: list[tuple[set[str], set[Path]]] = []
    monkeypatch.setattr(scheduling, "read_source", lambda steps, pythons: found.append((set(steps), set(pythons))))
    return found


@pytest.fixture
def scheduler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: object) -> Iterator[PatientScheduler]:
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

    monkeypatch.setattr(scheduling, "wait", wait)
    return times


def pause(scheduler: PatientScheduler) -> float:
    """What Airflow asks for after each look that found nothing."""
    assert "time.sleep(min(self._scheduler_idle_sleep_time," in source(SchedulerJobRunner)
    return scheduler._scheduler_idle_sleep_time


def work(scheduler: PatientScheduler, *keys: object) -> list[Worker]:
    """Has tasks run whose workers have ended."""
    (executor,) = scheduler.executors
    executor._process_workloads([Workload(key) for key in keys])
    for worker in executor.running_workers:
        worker.process.join()
    return executor.running_workers


def test_what_keys_of_results_are_made_of_is_read_before_anything_is_forked(scheduler, read):
    pythons = {Path(python) for python in settings().pythons.values()}
    assert read == [({name for name, step in STEPS.items() if step.cached}, pythons)]


def test_it_rests_where_nothing_is_heard_of_a_task(scheduler, waited):
    assert pause(scheduler) == 0
    assert pause(scheduler) == 0
    assert waited == [PatientScheduler.REST, PatientScheduler.REST]


def test_the_end_of_a_task_ends_its_wait_once_and_makes_it_eager_for_some_time(scheduler, waited, monkeypatch):
    monkeypatch.setattr(BaseExecutor, "run_workload", lambda *_, **__: None)
    (worker,) = work(scheduler, "key")
    for _ in range(5):
        assert pause(scheduler) == 0
    assert worker.heard
    assert waited == [PatientScheduler.REST, 0.25, 0.5, 1.0, 2.0]


def test_whoever_rings_ends_its_wait_and_makes_it_eager(scheduler, waited, tmp_path):
    pause(scheduler)
    ring(bell_in(tmp_path))
    pause(scheduler)
    pause(scheduler)
    assert waited == [PatientScheduler.REST, PatientScheduler.REST, 0.25]


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What it looked for, beside tasks; and the runs that it looked at first."""
    found: list[str] = []

    def look(name: str) -> None:
        assert f"self.{name}(" in source(SchedulerJobRunner), "Airflow calls it so"
        monkeypatch.setattr(SchedulerJobRunner, name, lambda *_, **__: found.append(name))

    for name in ASIDE:
        look(name)
    monkeypatch.setattr(
        SchedulerJobRunner, "_do_scheduling", lambda runner, _: len(runner._schedule_all_dag_runs(None, [], None))
    )
    monkeypatch.setattr(SchedulerJobRunner, "_schedule_all_dag_runs", lambda *_: [])
    monkeypatch.setattr(scheduling, "look_first", lambda _, runs: found.extend(run for _, run in runs))
    return found


def look(scheduler: PatientScheduler) -> None:
    """A round of Airflow's loop."""
    scheduler._do_scheduling(None)
    scheduler._create_dagruns_for_dags(None, None)
    scheduler._start_queued_dagruns(None)
    scheduler._enqueue_executor_callbacks(None)
    scheduler._enqueue_connection_tests(session=None)


def test_what_has_nothing_to_do_with_the_end_of_a_task_is_looked_for_once_in_a_while(
    scheduler, waited, looked, tmp_path, monkeypatch
):
    monkeypatch.setattr(BaseExecutor, "run_workload", lambda *_, **__: None)
    clock = [100.0]
    monkeypatch.setattr(scheduling.time, "monotonic", lambda: clock[0])
    look(scheduler)
    assert looked == ASIDE
    looked.clear()
    for run in ("first", "second"):
        work(scheduler, TaskInstanceKey("d", "t", run, 1))
        pause(scheduler)
        look(scheduler)
    assert looked == ["first", "second"]
    clock[0] += PatientScheduler.ROUND
    pause(scheduler)
    look(scheduler)
    assert looked[2:] == ASIDE
    ring(bell_in(tmp_path))
    pause(scheduler)
    look(scheduler)
    assert looked[6:] == ASIDE


def test_a_run_that_has_ended_makes_room_for_another_one_at_once(scheduler, looked, monkeypatch):
    run = SimpleNamespace(dag_id="quantize__a", run_id="r", state="success")
    monkeypatch.setattr(SchedulerJobRunner, "_schedule_all_dag_runs", lambda *_: [(run, None)])
    look(scheduler)
    look(scheduler)
    assert looked == [*ASIDE, *ASIDE]


def test_airflow_is_to_look_again_at_once_while_there_are_runs_whose_tasks_have_ended(scheduler, waited, monkeypatch):
    monkeypatch.setattr(scheduling, "look_first", lambda *_: None)
    monkeypatch.setattr(scheduling.time, "monotonic", lambda: 100.0)  # however long the workers take to be started
    monkeypatch.setattr(BaseExecutor, "run_workload", lambda *_, **__: None)
    monkeypatch.setattr(
        SchedulerJobRunner, "_schedule_all_dag_runs", lambda _, __, runs, ___: [(run, None) for run in runs]
    )
    looks: list[list[str]] = []

    def schedule(runner: PatientScheduler, _: object) -> int:
        runs = [SimpleNamespace(dag_id="d", run_id=run, state="running") for run in looks.pop(0)]
        runner._schedule_all_dag_runs(None, runs, None)
        return 7

    monkeypatch.setattr(SchedulerJobRunner, "_do_scheduling", schedule)
    looks += [["other"], ["a", "b"], ["c", "a"], ["gone"]]
    assert scheduler._do_scheduling(None) == 7, "that was a look around"
    work(scheduler, *(TaskInstanceKey("d", "t", run, 1) for run in "abc"))
    pause(scheduler)
    assert scheduler._do_scheduling(None) == 1
    assert scheduler._do_scheduling(None) == 0
    work(scheduler, TaskInstanceKey("d", "t", "not running any more", 1))
    pause(scheduler)
    assert scheduler._do_scheduling(None) == 0


def test_a_run_whose_task_ended_without_a_word_is_looked_at_again(scheduler, looked, monkeypatch):
    monkeypatch.setattr(SchedulerJobRunner, "_process_executor_events", lambda *_: 3)
    (executor,) = scheduler.executors
    executor.event_buffer = {
        TaskInstanceKey("d", "t", "killed", 1): (TaskInstanceState.FAILED, "its worker ended with -9"),
        TaskInstanceKey("d", "t", "well", 1): (TaskInstanceState.SUCCESS, None),
        "callback": (TaskInstanceState.FAILED, None),
    }
    assert scheduler._process_executor_events(executor, None) == 2
    assert looked == ["killed"]


def test_it_looks_at_few_runs_when_it_has_heard_of_tasks_alone_and_at_more_when_not(
    scheduler, waited, tmp_path, monkeypatch
):
    monkeypatch.setattr(scheduler, "_runs", 5)
    monkeypatch.setattr(BaseExecutor, "run_workload", lambda *_, **__: None)

    def looks_at() -> int:
        pause(scheduler)
        return DagRun.DEFAULT_DAGRUNS_TO_EXAMINE

    work(scheduler, "key")
    assert looks_at() == PatientScheduler.FEW
    assert looks_at() == 5
    work(scheduler, "key")
    ring(bell_in(tmp_path))
    assert looks_at() == 5
    assert ".limit(cls.DEFAULT_DAGRUNS_TO_EXAMINE)" in source(DagRun.get_running_dag_runs_to_examine)


RUN = {"run_id": "r", "run_type": "manual", "state": "running", "log_template_id": 1}


@pytest.fixture
def session() -> Iterator[Session]:
    """Of a database that has runs alone."""
    engine = sqlalchemy.create_engine("sqlite://")
    DagRun.__table__.create(engine)
    with Session(engine) as session:
        yield session
    engine.dispose()


def test_a_run_whose_task_has_ended_is_looked_at_before_the_others(session):
    now = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(3):
        run = RUN | {"dag_id": f"d{number}", "run_after": now}
        decided = now + timedelta(seconds=number)
        session.execute(sqlalchemy.insert(DagRun).values(last_scheduling_decision=decided, **run))

    by_decision = sqlalchemy.select(DagRun.dag_id).order_by(DagRun.last_scheduling_decision.nulls_first())

    def order() -> list[str]:
        return list(session.scalars(by_decision))

    assert order() == ["d0", "d1", "d2"]
    look_first(session, {("d2", "r"), ("d1", "another")})
    assert order() == ["d2", "d0", "d1"]
    assert "cls.last_scheduling_decision), session=session" in source(DagRun), "that is Airflow's own order"


def test_a_run_that_was_asked_for_just_now_may_begin_now_and_not_with_the_next_second(session):
    now = datetime.now(UTC)
    for name, after in (("asked", now - timedelta(milliseconds=2)), ("later", now + timedelta(hours=1))):
        session.execute(sqlalchemy.insert(DagRun).values(dag_id=name, run_after=after, **RUN))
    for ask in (DagRun.get_running_dag_runs_to_examine, DagRun.get_queued_dag_runs_to_set_running):
        assert "query.where(DagRun.run_after <= func.now())" in source(ask)
    due = sqlalchemy.select(DagRun.dag_id).where(DagRun.run_after <= sqlalchemy.func.now())
    assert list(session.scalars(due)) == ["asked"]


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
    assert "guard.commit()\n        return callback_tuples" in source(SchedulerJobRunner._schedule_all_dag_runs)
    assert "self._schedule_all_dag_runs(guard, dag_runs, session)" in source(SchedulerJobRunner)
