"""A world: real servers whose processes have names, so that they can be killed, and the command line that uses them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psutil

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

    @property
    def workspace(self) -> str:
        """The root of the content-addressed storage."""

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

    def litegate(self, *arguments: str | Path, result: Path | None = None, limit: float = 900) -> Ended:
        """Run the command as a user does; `result` is where it writes its JSON."""

    def left_running(self) -> Sequence[psutil.Process]:
        """Processes of the world that are there although it was stopped."""

    def left_behind(self) -> Sequence[Path]:
        """Folders and temporary files of processes that have ended."""
