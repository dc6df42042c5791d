"""Airflow's scheduler as the embedded stack runs it: at once where there is work, and seldom where there is none."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
from airflow.models import DagRun
from airflow.models.taskinstancekey import TaskInstanceKey
from airflow.sdk.api.client import Client
from airflow.utils.state import State, TaskInstanceState
from sqlalchemy import update
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import now
from typing_extensions import override

from litegate.bell import Bell, bell_in, tell_the_end
from litegate.execution.result_key import read_source
from litegate.settings import default_home, settings
from litegate.steps import STEPS
from litegate_airflow.executor import ProcessPerTask, Worker

if TYPE_CHECKING:
    from airflow.executors.base_executor import BaseExecutor
    from sqlalchemy.orm import Session

__all__ = ["PatientScheduler", "look_first"]

_SUCCESS = TaskInstanceState.SUCCESS


class PatientScheduler(SchedulerJobRunner):
    """A scheduler that looks for work as soon as a task has ended, and less and less often while nothing is heard.

    It waits for the setting `scheduler_idle_sleep_time` at first, since what is skipped takes several looks, and twice
    as long each time that nothing was heard, up to `REST` seconds. Whoever asks Airflow for a run then rings the bell
    of the home, or waits for half of `REST` on average, once.

    When it has heard of tasks alone it looks at `FEW` runs, until it has looked at all whose tasks have ended, and else
    at as many as the setting `max_dagruns_per_loop_to_schedule` says. What has nothing to do with tasks that have ended
    it looks for once in `ROUND` seconds, and when the bell was rung: runs that are to be made or begun, and what else
    Airflow has executors do.

    Attributes:
        bell: where it is rung.
    """

    REST = 2.0
    ROUND = 1.0
    FEW = 2

    _pause = 1.0
    _next_pause = REST
    _looked_around = -math.inf
    _at_tasks_alone = False
    _runs = DagRun.DEFAULT_DAGRUNS_TO_EXAMINE

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.bell = Bell(bell_in(default_home()))
        self._ended: set[tuple[str, str]] = set()
        read_source((name for name, step in STEPS.items() if step.cached), map(Path, settings().pythons.values()))
        Client(base_url="http://127.0.0.1", token="").close()  # the certificates of the world stay with its class

    @property
    def _scheduler_idle_sleep_time(self) -> float:
        """Asked for by Airflow after each look that found nothing. The wait is here, and what is left of it is 0."""
        workers = {worker.fileno(): worker for worker in self._workers()}
        heard = wait([*workers, self.bell.fileno()], self._next_pause)
        self._next_pause = self._pause if heard else min(2 * self._next_pause, max(self._pause, self.REST))
        rang = self.bell.rang()
        if rang:
            self._looked_around = -math.inf
        self._hear(workers[each] for each in heard if each in workers)
        DagRun.DEFAULT_DAGRUNS_TO_EXAMINE = min(self.FEW, self._runs) if heard and not rang else self._runs
        return 0.0

    @_scheduler_idle_sleep_time.setter
    def _scheduler_idle_sleep_time(self, seconds: float) -> None:
        self._pause = seconds

    @override
    def _do_scheduling(self, session: Session) -> int:
        """Runs whose tasks have ended do not wait for their turn among all that are under way.

        Returns:
            What makes Airflow look again at once: in looks at tasks, that there are more such runs.
        """
        look_first(session, self._ended)
        self._at_tasks_alone = time.monotonic() - self._looked_around < self.ROUND
        if not self._at_tasks_alone:
            self._looked_around = time.monotonic()
        queued: int = super()._do_scheduling(session)
        return len(self._ended) if self._at_tasks_alone else queued + len(self._ended)

    @override
    def _create_dagruns_for_dags(self, guard: Any, session: Session) -> None:
        if not self._at_tasks_alone:
            super()._create_dagruns_for_dags(guard, session)

    @override
    def _start_queued_dagruns(self, session: Session) -> None:
        if not self._at_tasks_alone:
            super()._start_queued_dagruns(session)

    @override
    def _enqueue_executor_callbacks(self, session: Session) -> None:
        if not self._at_tasks_alone:
            super()._enqueue_executor_callbacks(session)

    @override
    def _enqueue_connection_tests(self, *, session: Session) -> None:
        if not self._at_tasks_alone:
            super()._enqueue_connection_tests(session=session)

    @override
    def _schedule_all_dag_runs(self, guard: Any, dag_runs: Iterable[DagRun], session: Session) -> list[Any]:
        """Whoever follows a run that has ended hears of it once that is written, and another one may begin."""
        looked_at: list[tuple[DagRun, Any]] = super()._schedule_all_dag_runs(guard, dag_runs, session)
        seen = self._ended & {(run.dag_id, run.run_id) for run, _ in looked_at}
        self._ended = self._ended - seen if seen else set()  # what is never looked at is no run that goes on
        for run, _ in looked_at:
            if run.state in State.finished_dr_states:
                self._looked_around = -math.inf
                tell_the_end(default_home(), run.dag_id, run.run_id)
        return looked_at

    @override
    def _process_executor_events(self, executor: BaseExecutor, session: Session) -> int:
        """What has ended without a word to Airflow has not been looked at since it failed; of the others all is known.

        Returns:
            The number of the former, and of what is no task: for these Airflow looks again at once.
        """
        states = {key: state for key, (state, _) in executor.event_buffer.items()}
        look_first(session, _runs_of(key for key, state in states.items() if state != _SUCCESS))
        known = [key for key, state in states.items() if isinstance(key, TaskInstanceKey) and state == _SUCCESS]
        events: int = super()._process_executor_events(executor, session)
        return events - len(known)

    def _hear(self, told: Iterable[Worker]) -> None:
        for worker in told:
            worker.heard = True
            self._ended |= _runs_of([worker.workload.key])

    def _workers(self) -> list[Worker]:
        """Those of which nothing has been heard."""
        executors = (each for each in self.executors if isinstance(each, ProcessPerTask))
        return [worker for executor in executors for worker in executor.running_workers if not worker.heard]


def _runs_of(keys: Iterable[Any]) -> set[tuple[str, str]]:
    """The runs of those keys that belong to tasks."""
    return {(key.dag_id, key.run_id) for key in keys if isinstance(key, TaskInstanceKey)}


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


@compiles(now, "sqlite")
def _now(*_: Any, **__: Any) -> str:
    """As SQLAlchemy writes times; by SQLite's own, of whole seconds, a run that is asked for waits for the next one."""
    return "strftime('%Y-%m-%d %H:%M:%f000', 'now')"
