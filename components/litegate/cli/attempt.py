"""How far a command has come with a run, so that whatever cuts it short can say what goes on without it.

The run is Airflow's: it neither ends nor fails with the command that follows it.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Mapping
from contextlib import nullcontext, redirect_stdout
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from litegate.cli.home import unusable
from litegate.cli.outcome import Outcome, Place, failed, under_way
from litegate.cli.output import STDOUT, print_error, write_json
from litegate.errors import LitegateError
from litegate.exit_codes import ExitCode
from litegate.settings import default_home
from litegate.stack import Home, Stack, running
from litegate.stack.airflow_api import AirflowApi, RunId

__all__ = ["Attempt", "lasting", "reported"]


@dataclass
class Attempt:
    """A command and the run that it follows.

    Attributes:
        model: the model's name, once it is known.
        run: what it follows now; None before there is anything.
        page: the run's page.
        conf: what the run is started with, if this command begins it.
        own: whether this command began the run: if it is interrupted, the run ends with it.
        confirmed: whether Airflow has said that there is the run.
        over: whether the run has ended.
        required: the variants that decide the exit code, if any do.
        interrupted: what is said where the command was interrupted.
    """

    home: Home
    model: str | None = None
    run: RunId | None = None
    page: str = ""
    conf: Mapping[str, Any] = field(default_factory=dict)
    own: bool = False
    confirmed: bool = False
    over: bool = False
    interrupted: str = "interrupted"
    required: tuple[str, ...] = ()

    def follows(self, airflow: AirflowApi, run: RunId, own: bool, confirmed: bool = True) -> None:
        """From now on it is about this run."""
        self.run, self.page, self.own = run, airflow.page_of(run), own
        self.confirmed, self.over = confirmed, False

    def refused(self) -> None:
        """There is no such run after all."""
        self.run, self.own = None, False

    @property
    def place(self) -> Place | None:
        """The run for the JSON."""
        return Place(self.run.dag, self.run.run, self.page) if self.run else None

    def goes_on(self) -> str:
        """That the run goes on, and how to see it to its end; empty if there is none, or it has ended."""
        if self.run is None or self.over:
            return ""
        said = f"{self.run.run} of {self.run.dag} {'goes on' if self.confirmed else 'may have begun'} in Airflow"
        if not lasting(self.home):
            said += f" once the servers run again (`{self._command('start')}`)"
        quantizes = self.run.dag.startswith("quantize__")
        follow = self._command("follow", self.run.run) if quantizes else self._command("demo")
        return f"{said}; follow it with `{follow}`"

    def _command(self, *words: str) -> str:
        home = () if self.home.root == default_home() else ("--home", str(self.home.root))
        return shlex.join(("litegate", *words, *home))


def lasting(home: Home) -> Stack | None:
    """The servers of a home if they run and are not about to end."""
    stack = running(home)
    return None if stack is None or stack.phase in ("stopping", "failed") else stack


def reported(work: Callable[[], Outcome], attempt: Attempt, target: Path | None) -> int:
    """Do the work; whatever comes of it is in the JSON, and on standard error if it failed. Returns the exit code."""
    try:
        # Where the JSON is on standard output, the table is for the person who watches.
        with redirect_stdout(sys.stderr) if target == STDOUT else nullcontext():
            outcome = work()
    except KeyboardInterrupt:
        outcome = _cut_short(attempt, attempt.interrupted, ExitCode.INTERRUPTED)
    except LitegateError as error:
        outcome = _cut_short(attempt, str(error), error.exit_code)
    except Exception as error:
        problem = unusable(attempt.home.root, error) if isinstance(error, OSError) else None
        if problem is not None:
            return _answer(_cut_short(attempt, str(problem), problem.exit_code), attempt, target)
        _answer(_cut_short(attempt, f"{type(error).__name__}: {error}"), attempt, target)
        raise
    return _answer(outcome, attempt, target)


def _cut_short(attempt: Attempt, why: str, exit_code: int = LitegateError.exit_code) -> Outcome:
    goes_on = attempt.goes_on()
    return under_way(attempt.model, why, goes_on, exit_code) if goes_on else failed(attempt.model, why, exit_code)


def _answer(outcome: Outcome, attempt: Attempt, target: Path | None) -> int:
    if outcome.error is not None:
        print_error(outcome.error)
    if outcome.outcome == "under_way":
        print(outcome.why, file=sys.stderr)
    write_json(replace(outcome, place=attempt.place).to_json(), target)
    return outcome.exit_code
