"""A world: real servers whose processes have names, so that they can be killed, and the command line that uses them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psutil

from litegate.stack.airflow_api import RunId

__all__ = ["Ended", "World"]


@dataclass(frozen=True)
class Ended:
    """How a command ended; `result` is the JSON that it wrote, if any."""

    code: int
    output: str
    result: Any


class World(Protocol):
    """Servers, tasks and steps of one installation.

    Attributes:
        kinds: what can be killed, by name.
        root: folder of all that it keeps.
    """

    kinds: tuple[str, ...]
    root: Path

    @property
    def mlflow_url(self) -> str:
        """Where MLflow listens."""

    @property
    def airflow_login(self) -> tuple[str, str]:
        """Where Airflow listens, and its administrator's password."""

    def start(self) -> None:
        """Bring everything up, and wait until all of it is healthy."""

    def stop(self) -> None:
        """End everything."""

    def recover(self) -> None:
        """Wait until everything is healthy again by itself.

        Raises:
            StackError: it is not, after some minutes.
        """

    def processes(self, kind: str) -> list[psutil.Process]:
        """The processes of a kind that run now."""

    def place(self, path: Path) -> str:
        """The address at which the tasks find a local file."""

    def run(self, spec: Path) -> Ended:
        """Run a spec as a user does, to its end; its result names model, DAG, run, state and champion."""

    def follow(self, run: RunId) -> Ended:
        """The same of a run that somebody has begun."""

    def litegate(self, *arguments: str | Path, result: Path | None = None) -> Ended:
        """Run a command of litegate's about what MLflow has; `result` is where it writes its JSON."""

    def objects(self) -> Iterator[tuple[str, bytes]]:
        """What the workspace holds: names below its root, and contents."""

    def left_running(self) -> Sequence[psutil.Process]:
        """Processes of the world that are there although it was stopped."""

    def left_behind(self) -> Sequence[Path]:
        """Folders and temporary files of processes that have ended."""
