"""The executor of the embedded stack: each task has a worker process of its own, whose end is known at once.

Airflow's own keeps workers that share a queue. A task whose worker is killed before it has told that it begins stays
queued for ever, since this executor cannot revoke a task; a worker that is killed while it waits takes the lock of the
queue along, and no task begins any more; and what a killed worker ran goes on beside its next try.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import Pipe, get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.executors.base_executor import BaseExecutor, get_execution_api_server_url
from airflow.executors.local_executor import LocalExecutor
from airflow.sdk.execution_time.comms import SucceedTask
from airflow.sdk.execution_time.supervisor import ActivitySubprocess
from typing_extensions import override

from litegate.processes import die_with_parent

if TYPE_CHECKING:
    from airflow.executors.workloads import ExecutorWorkload

__all__ = ["ProcessPerTask", "PromptSubprocess", "Worker"]


@dataclass(eq=False)
class Worker:
    """A process that runs one task.

    Attributes:
        told: can be read once Airflow has been told that the task succeeded, or else once the process has ended.
        heard: whether the scheduler has heard that.
    """

    process: ForkProcess
    workload: ExecutorWorkload
    told: Connection
    heard: bool = False

    def fileno(self) -> int:
        """By which it can be waited for."""
        return self.told.fileno()


class ProcessPerTask(LocalExecutor):
    """Forks a worker for each task, as many at once as the setting `parallelism` says.

    Attributes:
        running_workers: those that run.
        before_tasks: are called with the id of a DAG before a worker is forked for one of its tasks.
    """

    before_tasks: ClassVar[list[Callable[[str], None]]] = []

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)  # type: ignore[no-untyped-call]
        self.running_workers: list[Worker] = []

    @override
    def start(self) -> None:
        """There is nothing to be prepared."""

    @override
    def _process_workloads(self, workload_list: Sequence[ExecutorWorkload]) -> None:
        for workload in workload_list:
            self.running_workers.append(self._started(workload))
            if workload.running_state is not None:
                self.change_state(workload.key, workload.running_state, remove_running=False)
            queues: tuple[dict[Any, Any], ...] = (
                self.queued_tasks,
                self.queued_callbacks,
                self.queued_connection_tests,
            )
            for queued in queues:
                queued.pop(workload.key, None)

    def _started(self, workload: ExecutorWorkload) -> Worker:
        told, tells = Pipe(duplex=False)
        if dag_id := getattr(getattr(workload, "ti", None), "dag_id", ""):  # others than tasks have none
            for make_ready in self.before_tasks:
                make_ready(dag_id)
        gc.freeze()  # what we have is not copied because somebody counts its references
        try:
            process = get_context("fork").Process(
                target=_work, args=(workload, get_execution_api_server_url(self.conf), os.getpid(), tells)
            )
            process.start()
            return Worker(process, workload, told)
        finally:
            tells.close()
            gc.unfreeze()

    @override
    def sync(self) -> None:
        """Say how those have ended that did: Airflow lets a task that says nothing about itself fail then."""
        for worker in [each for each in self.running_workers if not each.process.is_alive()]:
            self.running_workers.remove(worker)
            workload, code = worker.workload, worker.process.exitcode
            said = None if code == 0 else f"its worker ended with {code}"
            state = workload.success_state if code == 0 else workload.failure_state
            self.change_state(workload.key, state, said)
            worker.process.close()
            worker.told.close()

    @override
    def end(self) -> None:
        """Wait for the tasks that run."""
        for worker in self.running_workers:
            worker.process.join()
        self.sync()


class PromptSubprocess(ActivitySubprocess):
    """The process of a task, whose end its worker sees at once, and who waits for the task hears before.

    Airflow's own looks whether the process has ended when it has closed its sockets, which the kernel does shortly
    before. If it finds it alive it waits on until its next heartbeat is due, and the scheduler with it.

    Attributes:
        tells: is closed when Airflow has been told that the task succeeded; what follows is cleaning up. One that is
            only put off may go on under the same key, once this process has ended.
    """

    tells: ClassVar[Connection | None] = None

    @override
    def _on_child_started(self, **details: Any) -> None:
        """To say that a task begins counts as its first heartbeat, for Airflow's server too."""
        super()._on_child_started(**details)
        self._last_heartbeat_attempt = self._last_successful_heartbeat

    @override
    def _send_terminal_state_msg(self, msg: Any) -> None:
        super()._send_terminal_state_msg(msg)
        if self.tells is not None and isinstance(msg, SucceedTask):
            self.tells.close()

    @override
    def _service_subprocess(
        self, max_wait_time: float, raise_on_timeout: bool = False, expect_signal: int | None = None
    ) -> int | None:
        """With no socket left to wait for, Airflow waits for no more than the hundredth of a second that it has to."""
        wait = max_wait_time if self._open_sockets else 0.0
        code: int | None = super()._service_subprocess(wait, raise_on_timeout, expect_signal)
        return code


def _work(workload: ExecutorWorkload, server: str, scheduler: int, tells: Connection) -> None:
    """What a worker does. It ends with the scheduler, which gives its task to another one, and its task with it."""
    die_with_parent(scheduler)
    worker = os.getpid()
    os.register_at_fork(after_in_child=lambda: _of_task(worker, tells))
    PromptSubprocess.tells = tells
    title = f"airflow worker -- {workload.display_name}"
    BaseExecutor.run_workload(workload, server=server, proctitle=title, subprocess_logs_to_stdout=True)


def _of_task(worker: int, tells: Connection) -> None:
    """In the process of the task, which has nothing to tell the scheduler itself."""
    tells.close()
    if os.getppid() == worker:
        die_with_parent(worker)
