"""Airflow's scheduler and DAG processor as the embedded stack runs them: `python -m litegate_airflow.server scheduler`.

Every task and every parse of a DAG file is a fork of one of them. What those would import and read, most of a second
of CPU each time, is imported and read here, once. The scheduler looks less often for work while there is none, and
runs each task by a worker of its own (`litegate_airflow.executor`). The DAG processor reads a file that it is asked to
read at once, and not when the second is over.
"""

from __future__ import annotations

import math
import selectors
import sys
import time
from collections.abc import Iterable
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.__main__ import main
from airflow.cli.commands import dag_processor_command, scheduler_command
from airflow.dag_processing.manager import DagFileProcessorManager
from airflow.executors.executor_loader import ExecutorLoader
from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
from airflow.models import DagRun
from airflow.models.taskinstancekey import TaskInstanceKey
from airflow.sdk.api.client import Client
from airflow.sdk.definitions import connection  # noqa: F401
from airflow.sdk.execution_time import supervisor
from airflow.utils.state import State
from sqlalchemy import update
from typing_extensions import override

import litegate_airflow.dags  # noqa: F401
from litegate.bell import Bell, bell_in, parse_bell_in, tell_the_end
from litegate.call_stack import with_room
from litegate.execution.result_key import read_source
from litegate.settings import default_home, settings
from litegate.spec import schema_of
from litegate.steps import STEPS
from litegate_airflow.executor import ProcessPerTask, PromptSubprocess

if TYPE_CHECKING:
    from airflow.executors.base_executor import BaseExecutor
    from sqlalchemy.orm import Session

__all__ = ["PatientScheduler", "PromptDagProcessor", "look_first"]


class PatientScheduler(SchedulerJobRunner):
    """A scheduler that looks for work as soon as a task has ended, and seldom while there are none.

    Until something is heard of a task it waits for the setting `scheduler_idle_sleep_time`, since what is skipped
    takes several looks; and for `REST` seconds once nothing has been heard for `LINGER` seconds. Whoever asks Airflow
    for a run then rings the bell of the home, or waits for half of `REST` on average, once.

    When it has heard something it looks at `FEW` runs, of which those come first whose tasks have ended, and at as many
    as the setting `max_dagruns_per_loop_to_schedule` says when it has heard nothing for as long as it waits.

    Attributes:
        bell: where it is rung.
    """

    REST = 2.0
    LINGER = 5.0
    FEW = 2

    _pause = 1.0
    _heard = -math.inf
    _runs = DagRun.DEFAULT_DAGRUNS_TO_EXAMINE

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.bell = Bell(bell_in(default_home()))
        read_source((name for name, step in STEPS.items() if step.cached), map(Path, settings().pythons.values()))
        Client(base_url="http://127.0.0.1", token="").close()  # the certificates of the world stay with its class

    @property
    def _scheduler_idle_sleep_time(self) -> float:
        """Asked for by Airflow after each look that found nothing. The wait is here, and what is left of it is 0."""
        recently = time.monotonic() - self._heard < self.LINGER
        heard = wait([*self._workers(), self.bell.fileno()], self._pause if recently else max(self._pause, self.REST))
        if heard:
            self.bell.rang()
            self._heard = time.monotonic()
        DagRun.DEFAULT_DAGRUNS_TO_EXAMINE = min(self.FEW, self._runs) if heard else self._runs
        return 0.0

    @_scheduler_idle_sleep_time.setter
    def _scheduler_idle_sleep_time(self, seconds: float) -> None:
        self._pause = seconds

    @override
    def _schedule_all_dag_runs(self, guard: Any, dag_runs: Iterable[DagRun], session: Session) -> list[Any]:
        """Whoever follows a run that has ended hears of it once that is written."""
        looked_at: list[tuple[DagRun, Any]] = super()._schedule_all_dag_runs(guard, dag_runs, session)
        for run, _ in looked_at:
            if run.state in State.finished_dr_states:
                tell_the_end(default_home(), run.dag_id, run.run_id)
        return looked_at

    @override
    def _process_executor_events(self, executor: BaseExecutor, session: Session) -> int:
        """Runs whose tasks have ended do not wait for their turn among all that are under way."""
        ended = (key for key in executor.event_buffer if isinstance(key, TaskInstanceKey))
        look_first(session, {(key.dag_id, key.run_id) for key in ended})
        return super()._process_executor_events(executor, session)

    def _workers(self) -> list[int]:
        """What can be read once a worker has ended."""
        executors = (each for each in self.executors if isinstance(each, ProcessPerTask))
        return [process.sentinel for executor in executors for process, _ in executor.running_workers]


def look_first(session: Session, runs: Iterable[tuple[str, str]]) -> None:
    """Let the scheduler look at these runs next: it takes those first that it has never looked at.

    Args:
        runs: DAG and run id.
    """
    for dag, run in runs:
        session.execute(
            update(DagRun)
            .where(DagRun.dag_id == dag, DagRun.run_id == run)
            .values(last_scheduling_decision=None)
            .execution_options(synchronize_session=False)
        )


class PromptDagProcessor(DagFileProcessorManager):
    """A DAG processor that looks at once for what it is asked to parse when its bell is rung."""

    @override
    def prepare_process_context(self) -> None:
        """Listen for the bell where the answers of the parsing processes are awaited."""
        super().prepare_process_context()
        bell = Bell(parse_bell_in(default_home()))
        self.selector.register(bell, selectors.EVENT_READ, (_hear, Bell.close))


def _hear(bell: Bell) -> bool:
    """Whether more may come, as Airflow asks."""
    bell.rang()
    return True


if __name__ == "__main__":
    schema_of("variants")  # what forms are made of, which stays with this process
    # What the commands run.
    setattr(scheduler_command, "SchedulerJobRunner", PatientScheduler)  # noqa: B010
    setattr(dag_processor_command, "DagFileProcessorManager", PromptDagProcessor)  # noqa: B010
    setattr(supervisor, "ActivitySubprocess", PromptSubprocess)  # noqa: B010
    ExecutorLoader.executors["LocalExecutor"] = f"{ProcessPerTask.__module__}.{ProcessPerTask.__name__}"
    sys.exit(with_room(main)())
