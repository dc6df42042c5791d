"""Airflow's scheduler and DAG processor as the embedded stack runs them: `python -m litegate_airflow.server scheduler`.

Every task and every parse of a DAG file is a fork of one of them. What those would import, half a second of CPU each
time, is imported here, once; nothing of it is run. And the scheduler looks less often for work while there is none.
"""

from __future__ import annotations

import sys
import time

from airflow.__main__ import main
from airflow.cli.commands import scheduler_command
from airflow.jobs.scheduler_job_runner import SchedulerJobRunner

import litegate_airflow.dags  # noqa: F401

__all__ = ["PatientScheduler"]


class PatientScheduler(SchedulerJobRunner):
    """A scheduler whose pause between two looks for work depends on whether there has been any lately.

    With tasks at work it is the setting `scheduler_idle_sleep_time`; it is `REST` once there have been none for
    `LINGER` seconds. A run that begins then waits for half of `REST` on average, once.
    """

    REST = 2.0
    LINGER = 15.0

    _pause = 1.0
    _busy = 0.0

    @property
    def _scheduler_idle_sleep_time(self) -> float:
        """Asked for by Airflow after each look that found nothing."""
        now = time.monotonic()
        if any(executor.running or executor.queued_tasks for executor in self.executors):
            self._busy = now
        return self._pause if now - self._busy < self.LINGER else max(self._pause, self.REST)

    @_scheduler_idle_sleep_time.setter
    def _scheduler_idle_sleep_time(self, seconds: float) -> None:
        self._pause = seconds


if __name__ == "__main__":
    setattr(scheduler_command, "SchedulerJobRunner", PatientScheduler)  # noqa: B010 (what the command runs)
    sys.exit(main())  # type: ignore[no-untyped-call]
