"""The seam between a step and the process that runs it: what an executor is given, and what it says in the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from litegate.execution.sandbox import Confinement
from litegate.execution.step import Step
from litegate.failures import FailureKind

__all__ = ["Ending", "Executor", "PreparedStep"]


@dataclass(frozen=True)
class PreparedStep:
    """A step that is ready to be run, and all that its process may use.

    Attributes:
        step: what is run; `step.program` is the module whose `run_step` does it.
        folder: its work folder. `request.json` and `confinement.json` are there; the process leaves `result.json` and
            the files below `outputs`, or `error.json`.
        cache: the folder in whose `files` the files of the request lie, each under its digest.
        files: these files. Nothing else of the cache belongs to the step.
        python: the interpreter of the step's environment.
        environment: every environment variable that the process gets.
        confinement: limits, and what may be read and written; as in `confinement.json`.
        seconds: how long it may take.
    """

    step: Step
    folder: Path
    cache: Path
    files: tuple[Path, ...]
    python: Path
    environment: Mapping[str, str]
    confinement: Confinement
    seconds: float


@dataclass(frozen=True)
class Ending:
    """How a process ended.

    Attributes:
        code: exit code, or the number of the signal as a negative number.
        said: the last lines of its output.
        timed_out: whether it was ended for taking too long.
        memory_short: whether the kernel killed some process for lack of memory meanwhile.
        exceeded: the kind of its death and what it took too much of, if its supervisor ended it for that.
        not_isolated: what it was not shut off from, in words, as it said before it ran anything.
    """

    code: int
    said: str
    timed_out: bool
    memory_short: bool
    exceeded: tuple[FailureKind, str] | None = None
    not_isolated: tuple[str, ...] = ()


class Executor(Protocol):
    """Runs the process of one `StepRun`; a row in `litegate.execution.executors.EXECUTORS` makes it known by a name.

    Whatever an executor is, its process keeps this contract, which `litegate.execution.sandbox` and
    `litegate.steps.child` implement:

    - It confines itself as `confinement.json` says before it imports anything that is not ours, and says first what
      could not be done: a line that begins with `litegate.execution.sandbox.REPORT`.
    - JSON in, JSON out: it reads `request.json`, and writes `result.json` or `error.json` whole. What a result names
      beyond the request's files lies in `outputs`, under its digest.
    - Exit code 0: done, and there is a `result.json`. 2: bad input, never tried again; `error.json` has its `where`,
      `expected` and `got`. Anything else: a crash; `error.json` has `kind` and `message` if Python could still say it.

    What comes back is not believed, and not interpreted here: looking up, classifying, checking and publishing are the
    same for every executor. So it may run the process on another host, if it carries

    - there: the two JSON files of the work folder, the files of the request, the environment variables, the limit of
      time, and for steps that read the users' data on S3 the connections to the socket `broker` in the work folder (or
      what answers in its place: see `litegate.work.broker`);
    - back: `result.json` and `outputs`, or `error.json`; the lines of output as they come; how the process ended.

    It needs no other folder in common with `StepRun`, and no network but that between the two.
    """

    def run(self, prepared: PreparedStep, say: Callable[[str], None]) -> Ending:
        """Run the process until it ends, or end it after `prepared.seconds`; nothing that it started is left then.

        A run may be followed by another one, which tries again. After `kill` every run ends at once.

        Args:
            say: gets the lines of its output that say something.

        Raises:
            ConnectionError: nobody knows how it ended, as where a host does not answer; Airflow may try it again.
        """
        ...

    def kill(self) -> None:
        """End the process and everything that it started, from another thread; also what is yet to be started.

        A process whose `step.grace` is not 0 gets SIGTERM first, and so many seconds to end by itself.
        """
        ...
