"""The executor of the embedded stack: each task has a worker process of its own, whose death is known at once.

Airflow's own keeps workers that share a queue. A task whose worker is killed before it has told that it begins stays
queued for ever, since this executor cannot revoke a task; a worker that is killed while it waits takes the lock of the
queue along, and no task begins any more; and what a killed worker ran goes on beside its next try.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Sequence
from multiprocessing import get_context
from multiprocessing.context import ForkProcess
from typing import TYPE_CHECKING, Any

from airflow.executors.base_executor import BaseExecutor, get_execution_api_server_url
from airflow.executors.local_executor import LocalExecutor
from airflow.sdk.execution_time.supervisor import ActivitySubprocess
from typing_extensions import override

from litegate.processes import die_with_parent

if TYPE_CHECKING:
    from airflow.executors.workloads import ExecutorWorkload

__all__ = ["ProcessPerTask", "PromptSubprocess"]


class ProcessPerTask(LocalExecutor):
    """Forks a worker for each task, as many at once as the setting `parallelism` says.

    Attributes:
        running_workers: the workers that run, each with its task.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)  # type: ignore[no-untyped-call]
        self.running_workers: list[tuple[ForkProcess, ExecutorWorkload]] = []

    @override
    def start(self) -> None:
        """There is nothing to be prepared."""

    @override
    def _process_workloads(self, workload_list: Sequence[ExecutorWorkload]) -> None:
        for workload in workload_list:
            self.running_workers.append((self._started(workload), workload))
            if workload.running_state is not None:
                self.change_state(workload.key, workload.running_state, remove_running=False)
            queues: tuple[dict[Any, Any], ...] = (
                self.queued_tasks,
                self.queued_callbacks,
                self.queued_connection_tests,
            )
            for queued in queues:
                queued.pop(workload.key, None)

    def _started(self, workload: ExecutorWorkload) -> ForkProcess:
        gc.freeze()  # what we have is not copied because somebody counts its references
        try:
            process = get_context("fork").Process(
                target=_work, args=(workload, get_execution_api_server_url(self.conf), os.getpid())
            )
            process.start()
            return process
        finally:
            gc.unfreeze()

    @override
    def sync(self) -> None:
        """Say how those have ended that did: Airflow lets a task that says nothing about itself fail then."""
        for process, workload in [each for each in self.running_workers if not each[0].is_alive()]:
            self.running_workers.remove((process, workload))
            said = None if process.exitcode == 0 else f"its worker ended with {process.exitcode}"
            state = workload.success_state if process.exitcode == 0 else workload.failure_state
            self.change_state(workload.key, state, said)
            process.close()

    @override
    def end(self) -> None:
        """Wait for the tasks that run."""
        for process, _ in self.running_workers:
            process.join()
        self.sync()


class PromptSubprocess(ActivitySubprocess):
    """The process of a task, whose end its worker sees at once.

    Airflow's own looks whether the process has ended when it has closed its sockets, which the kernel does shortly
    before. If it finds it alive it waits on until its next heartbeat is due, and the scheduler with it.
    """

    @override
    def _service_subprocess(
        self, max_wait_time: float, raise_on_timeout: bool = False, expect_signal: int | None = None
    ) -> int | None:
        """With no socket left to wait for, Airflow waits for no more than the hundredth of a second that it has to."""
        wait = max_wait_time if self._open_sockets else 0.0
        code: int | None = super()._service_subprocess(wait, raise_on_timeout, expect_signal)
        return code


def _work(workload: ExecutorWorkload, server: str, scheduler: int) -> None:
    """What a worker does. It ends with the scheduler, which gives its task to another one, and its task with it."""
    die_with_parent(scheduler)
    worker = os.getpid()
    os.register_at_fork(after_in_child=lambda: die_with_parent(worker) if os.getppid() == worker else None)
    title = f"airflow worker -- {workload.display_name}"
    BaseExecutor.run_workload(workload, server=server, proctitle=title, subprocess_logs_to_stdout=True)
