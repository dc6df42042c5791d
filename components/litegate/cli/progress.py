"""What a person sees while waiting: a moving status on a terminal, a line for each change elsewhere."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.text import Text

from litegate.stack import Home, Stack, start
from litegate.stack.airflow_api import AirflowApi, RunId, TaskState

__all__ = ["Progress", "follow", "start_showing"]

AWAITING_INPUT = "awaiting_input"
_SHOWN = frozenset({"running", "success", "failed", "skipped", "up_for_retry", AWAITING_INPUT})
_ENDED = frozenset({"success", "failed"})


class Progress:
    """Lines on standard error with the seconds since its beginning; on a terminal also what happens now."""

    def __init__(self, title: str) -> None:
        self.console = Console(stderr=True, highlight=False)
        self.began = time.monotonic()
        self.status = self.console.status(Text(title)) if self.console.is_terminal else None
        self.title = title

    def __enter__(self) -> Progress:
        self.note(self.title)
        if self.status:
            self.status.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.status:
            self.status.stop()

    def note(self, line: str) -> None:
        """A line that stays."""
        text = Text(f"{time.monotonic() - self.began:7.1f} s  {line}")
        self.console.print(text, soft_wrap=True)

    def now(self, text: str) -> None:
        """What happens at this moment; shown on a terminal only."""
        if self.status:
            self.status.update(
                Text(f"{time.monotonic() - self.began:.0f} s  {text}", overflow="ellipsis", no_wrap=True)
            )


def start_showing(home: Home) -> tuple[Stack, bool]:
    """`stack.start` with progress."""
    with Progress("starting the servers") as progress:
        waiting: set[str] = set()

        def show(names: tuple[str, ...]) -> None:
            nonlocal waiting
            for name in sorted(waiting - set(names)):
                progress.note(f"{name} is up")
            waiting = set(names)
            progress.now(", ".join(names) or "preparing the databases")

        stack, started = start(home, show)
        show(())
        progress.note(f"the servers {'are up' if started else 'were up already'}: {stack.airflow_url}")
    return stack, started


def follow(airflow: AirflowApi, run: RunId) -> str:
    """Show a DAG run until it has ended or waits for a person, which may take days.

    Returns:
        The state that it ended in, or `awaiting_input`.
    """
    with Progress(f"{run.dag}: {airflow.page_of(run)}") as progress:
        seen: dict[tuple[str, int], str | None] = {}
        while True:
            state = airflow.state(run)
            tasks = airflow.tasks(run)
            for task in tasks:
                _note_change(progress, seen, task)
            running = [task.name for task in tasks if task.state == "running"]
            done = sum(task.state in ("success", "failed", "skipped", "upstream_failed") for task in tasks)
            progress.now(f"{done} of {len(tasks)} tasks done; {', '.join(running) or 'waiting'}")
            asking = [task.task for task in tasks if task.state == AWAITING_INPUT]
            if asking:
                progress.note(f"a person must answer: {airflow.answer_page_of(run, asking[0])}")
                return AWAITING_INPUT
            if state in _ENDED:
                progress.note(f"{run.dag}: {state}")
                return state
            time.sleep(1)


def _note_change(progress: Progress, seen: dict[tuple[str, int], str | None], task: TaskState) -> None:
    if task.state == "running" and task.map_index >= 0 and task.label in (None, str(task.map_index)):
        return  # Airflow learns the element's name a moment later.
    key = (task.task, task.map_index)
    if seen.get(key) != task.state and task.state in _SHOWN:
        progress.note(f"{task.name:<36} {task.state}")
    seen[key] = task.state
