"""Airflow's scheduler and DAG processor as the embedded stack runs them: `python -m litegate_airflow.server scheduler`.

Every task and every parse of a DAG file is a fork of one of them. What those would import and read, most of a second
of CPU each time, is imported and read here, once. The scheduler looks less often for work while there is none, and
runs each task by a worker of its own (`litegate_airflow.executor`). The DAG processor reads a file that it is asked to
read at once, and not when the second is over.
"""

from __future__ import annotations

import selectors
import sys

from airflow.__main__ import main
from airflow.cli.commands import dag_processor_command, scheduler_command
from airflow.dag_processing.manager import DagFileProcessorManager
from airflow.executors.executor_loader import ExecutorLoader
from airflow.sdk.execution_time import supervisor
from typing_extensions import override

from litegate.bell import Bell, parse_bell_in
from litegate.call_stack import with_room
from litegate.settings import default_home
from litegate_airflow.dags.ahead import make_ahead
from litegate_airflow.executor import ProcessPerTask, PromptSubprocess
from litegate_airflow.prepared import prepare
from litegate_airflow.scheduler import PatientScheduler

__all__ = ["PromptDagProcessor"]


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
    prepare()
    ProcessPerTask.before_tasks.append(make_ahead)
    # What the commands run.
    setattr(scheduler_command, "SchedulerJobRunner", PatientScheduler)  # noqa: B010
    setattr(dag_processor_command, "DagFileProcessorManager", PromptDagProcessor)  # noqa: B010
    setattr(supervisor, "ActivitySubprocess", PromptSubprocess)  # noqa: B010
    ExecutorLoader.executors["LocalExecutor"] = f"{ProcessPerTask.__module__}.{ProcessPerTask.__name__}"
    sys.exit(with_room(main)())
