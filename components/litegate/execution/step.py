"""What a step is to those who run it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from litegate.execution.machine import Machine
from litegate.records import Record

__all__ = ["Step"]


def _none(_: Any) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True)
class Step:
    """What the caller must know of a step without importing it.

    Attributes:
        name: also the name of its module in this package.
        request, result: the record types of the contract.
        environment: which Python runs it: `tensorflow` (the lean one) or `service` (MLflow's).
        cached: whether equal inputs give a stored result; steps that look at or change the world are not.
        machine: how much of the machine the result depends on.
        unused: of the modules that the step imports those that it does not use for a request, by which its result
            is then not keyed.
        storage: whether the child may use S3 itself, and so gets the credentials for it: the user's own training
            code, and the clean-up of the workspace. All others get data through `litegate.work.broker`.
        tracking: whether the child may use MLflow, and so gets its address and credentials.
        program: the module whose `run_step` the confined child calls.
        timeout: wall-clock limit in seconds.
        memory: the least limit of the address space in GiB, for each process; it grows with the step's files.
        grace: seconds that the child has to end by itself when it is to be killed, as one that records runs in
            MLflow: it ends them. Less than the 5 that Airflow gives a task.
    """

    name: str
    request: type[Record]
    result: type[Record]
    environment: str = "tensorflow"
    cached: bool = True
    machine: Machine = Machine.PROCESSOR
    unused: Callable[[Any], tuple[str, ...]] = _none
    storage: bool = False
    tracking: bool = False
    program: str = "litegate.steps.child"
    timeout: float = 1800.0
    memory: float = 4.0
    grace: float = 0.0

    @property
    def confined(self) -> bool:
        """Whether the child is shut off from network, secrets and other files: it loads what users bring."""
        return not (self.storage or self.tracking)
