"""The scheduler of the embedded stack: it looks for work often while there is some, and seldom while there is none."""

from __future__ import annotations

import inspect
import math
import subprocess
import sys

import pytest
from airflow.jobs.job import Job
from airflow.jobs.scheduler_job_runner import SchedulerJobRunner

from litegate_airflow.server import PatientScheduler


@pytest.fixture
def scheduler() -> PatientScheduler:
    return PatientScheduler(Job(), scheduler_idle_sleep_time=0.25)


def pause(scheduler: PatientScheduler) -> float:
    """What Airflow asks for after each look that found nothing."""
    assert "time.sleep(min(self._scheduler_idle_sleep_time," in inspect.getsource(SchedulerJobRunner)
    return scheduler._scheduler_idle_sleep_time


def test_it_rests_where_there_has_been_no_task(scheduler):
    scheduler._busy = -math.inf
    assert pause(scheduler) == PatientScheduler.REST


def test_it_is_eager_while_a_task_is_queued_or_runs_and_for_some_time_after(scheduler, monkeypatch):
    for work in ({"queued_tasks": {"task": None}}, {"running": {"task"}}):
        scheduler._busy = -math.inf
        with monkeypatch.context() as patch:
            for name, tasks in work.items():
                patch.setattr(scheduler.executors[0], name, tasks)
            assert pause(scheduler) == 0.25
        assert pause(scheduler) == 0.25, "the next task may be about to begin"


def test_it_is_airflows_own_command_that_is_run():
    command = [sys.executable, "-m", "litegate_airflow.server", "scheduler", "--help"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "--skip-serve-logs" in done.stdout
