"""What a step is to those who run it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from litegate.errors import StackError
from litegate.execution.machine import Machine
from litegate.records import Record

__all__ = ["Step", "parts"]


def _none(_: Any) -> tuple[str, ...]:
    return ()


def _never(_: Any) -> bool:
    return False


@dataclass(frozen=True)
class Step:
    """What the caller must know of a step without importing it.

    Attributes:
        name: also the name of its module in this package.
        request, result: the record types of the contract.
        environment: which Python runs it: `tensorflow` (the lean one) or `service` (MLflow's).
        environment_of: which Python runs it for a request, where that depends on it; None where it does not.
        cached: whether equal inputs give a stored result; steps that look at or change the world are not.
        machine: how much of the machine the result depends on.
        unused: of the modules that the step imports those that it does not use for a request, by which its result
            is then not keyed.
        storage: whether the child may use S3 itself, and so gets the credentials for it: the user's own training
            code, and the clean-up of the workspace. All others get data through `litegate.work.broker`.
        tracking: whether the child may use MLflow, and so gets its address and credentials.
        signs: whether the child may use the signing key, and so gets it.
        program: the module whose `run_step` the confined child calls.
        timeout: wall-clock limit in seconds.
        memory: the least limit of the address space in GiB, for each process; it grows with the step's files.
        each: the same step for a single file, where the request is for several: `request.files` are then requests of
            this step, and `result.files` has for each of them, in their order, its result or a `FileFailure`. Each
            result is kept and found under a key of its own, and what is missing is computed at once.
        resumes: whether the step keeps what it has done so far for a request, so that a next try can go on.
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
    signs: bool = False
    program: str = "litegate.steps.child"
    timeout: float = 1800.0
    memory: float = 4.0
    grace: float = 0.0
    resumes: Callable[[Any], bool] = _never
    environment_of: Callable[[Any], str] | None = None
    each: Step | None = None

    def python(self, request: Record, pythons: Mapping[str, Path]) -> Path:
        """The interpreter that runs the step for a request.

        Args:
            pythons: interpreter by environment name.

        Raises:
            StackError: there is none for the environment.
        """
        environment = self.environment_of(request) if self.environment_of else self.environment
        if environment not in pythons:
            raise StackError(f"step {self.name}: expected a Python of {', '.join(pythons)}, got {environment}")
        return pythons[environment]

    @property
    def confined(self) -> bool:
        """Whether the child is shut off from network, secrets and other files: it loads what users bring."""
        return not (self.storage or self.tracking)


def parts(step: Step, request: Any) -> tuple[Record, ...]:
    """The requests that each have a result of their own: those of single files, or the request itself."""
    return tuple(request.files) if step.each else (request,)
