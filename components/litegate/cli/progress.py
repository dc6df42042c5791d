"""What a person sees while waiting: a moving status on a terminal, a line for each change elsewhere."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from types import TracebackType

from rich import progress as bars
from rich.console import Console
from rich.table import Column
from rich.text import Text

from litegate.bell import Bell, hearing_the_end
from litegate.cli.pace import Pace
from litegate.stack import Home, Stack, start
from litegate.stack.airflow_api import AirflowApi, RunId, TaskState
from litegate.stack.ports import Asked, kept_ports, moves

__all__ = ["Progress", "follow", "showing_log", "start_showing"]

AWAITING_INPUT = "awaiting_input"
_SHOWN = frozenset({"running", "success", "failed", "skipped", "up_for_retry", AWAITING_INPUT})
_ENDED = frozenset({"success", "failed"})
_OVER = frozenset({"success", "failed", "skipped", "upstream_failed", "removed"})
_PAUSE, _ALWAYS = 0.5, 20
"""Seconds between looks, if Airflow has time; at how many of them the run is looked at in any case."""
_STYLES = {"success": "green", "failed": "red", "skipped": "dim", "up_for_retry": "yellow", AWAITING_INPUT: "yellow"}


class Progress:
    """Lines on standard error with the seconds since its beginning; on a terminal also a bar for what happens now."""

    def __init__(self, title: str) -> None:
        self.console = Console(stderr=True, highlight=False)
        self.began = time.monotonic()
        self.title = title
        self._bar = _bar(self.console) if self.console.is_terminal else None
        self._task = None if self._bar is None else self._bar.add_task(title, total=None)

    def __enter__(self) -> Progress:
        self.note(self.title)
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.stop()

    def note(self, line: str, style: str = "") -> None:
        """A line that stays."""
        text = Text.assemble(f"{time.monotonic() - self.began:7.1f} s  ", (line, style))
        self.console.print(text, soft_wrap=True)

    def now(self, text: str, done: int = 0, total: int | None = None) -> None:
        """What happens at this moment, and how much is done if that is known; shown on a terminal only."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, description=text, completed=done, total=total)


def _bar(console: Console) -> bars.Progress:
    """It vanishes at its end: what stays are the lines."""
    text = bars.TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, ratio=1))
    columns = (bars.SpinnerColumn(), bars.TimeElapsedColumn(), bars.BarColumn(24), bars.MofNCompleteColumn(), text)
    return bars.Progress(*columns, console=console, transient=True, expand=True)


@contextmanager
def showing_log(progress: Progress) -> Iterator[None]:
    """Show what the steps that run meanwhile say."""
    log, handler = logging.getLogger("litegate"), _Notes(progress)
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)


class _Notes(logging.Handler):
    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self.progress = progress

    def emit(self, record: logging.LogRecord) -> None:
        self.progress.note(record.getMessage())


def start_showing(home: Home, asked: Asked | None = None) -> tuple[Stack, bool]:
    """`stack.start` with progress."""
    before = kept_ports(home)
    with Progress("starting the servers") as progress:
        waiting: set[str] = set()
        servers: set[str] = set()

        def show(names: tuple[str, ...]) -> None:
            nonlocal waiting
            servers.update(names)
            for name in sorted(waiting - set(names)):
                progress.note(f"{name} is up")
            waiting = set(names)
            text = ", ".join(names) or "preparing the databases"
            progress.now(text, len(servers) - len(names), len(servers) or None)

        stack, started = start(home, show, asked)
        show(())
        for line in moves(before, kept_ports(home)):
            progress.note(line, "yellow")
        progress.note(f"the servers {'are up' if started else 'were up already'}: {stack.airflow_url}")
    return stack, started


def follow(airflow: AirflowApi, run: RunId, home: Home) -> str:
    """Show a DAG run until it has ended or waits for a person, which may take days.

    Returns:
        The state that it ended in, or `awaiting_input`.
    """
    with (
        Progress(f"{run.dag}: {run.run}") as progress,
        _telling(airflow, progress),
        hearing_the_end(home.root, run.dag, run.run) as bell,
    ):
        progress.note(airflow.page_of(run))
        return _followed(airflow, run, progress, bell)


def _followed(airflow: AirflowApi, run: RunId, progress: Progress, bell: Bell | None) -> str:
    seen: dict[tuple[str, int], str | None] = {}
    looks, pace, tasks, has_ended = count(), Pace(_PAUSE, bell=bell), list[TaskState](), False
    while True:
        before = tasks
        with pace.asking():
            tasks = airflow.tasks(run)
        for task in tasks:
            _note_change(progress, seen, task)
        running = [task.name for task in tasks if task.state == "running"]
        done = sum(task.state in _OVER for task in tasks)
        progress.now(", ".join(running) or "waiting", done, len(tasks) or None)
        asking = [task.task for task in tasks if task.state == AWAITING_INPUT]
        if asking:
            progress.note(f"a person must answer: {airflow.answer_page_of(run, asking[0])}")
            return AWAITING_INPUT
        if has_ended or all(task.state in _OVER for task in tasks) or next(looks) % _ALWAYS == 0:
            state = airflow.state(run)  # one question a look is enough until then
            if state in _ENDED:
                progress.note(f"{run.dag}: {state}")
                return state
        has_ended = pace.wait(news=tasks != before)


@contextmanager
def _telling(airflow: AirflowApi, progress: Progress) -> Iterator[None]:
    """Say with the progress when Airflow is slow."""
    before, airflow.say = airflow.say, progress.note
    try:
        yield
    finally:
        airflow.say = before


def _note_change(progress: Progress, seen: dict[tuple[str, int], str | None], task: TaskState) -> None:
    if task.state == "running" and task.map_index >= 0 and task.label in (None, str(task.map_index)):
        return  # Airflow learns the element's name a moment later.
    key = (task.task, task.map_index)
    if seen.get(key) != task.state and task.state in _SHOWN:
        progress.note(f"{task.name:<36} {task.state}", _STYLES.get(task.state or "", ""))
    seen[key] = task.state
