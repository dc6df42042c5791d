"""Where things are, from the environment: workspace, cache, and the Python of each environment."""

from __future__ import annotations

import math
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from litegate.errors import BadInput, StackError

__all__ = ["SIGNING_KEY", "Settings", "default_home", "executor", "s3_timeout", "settings", "warm_folder", "workspace"]


SIGNING_KEY = "LITEGATE_SIGNING_KEY"
"""The variable with the path of the private key that versions are signed with, or with the key itself, in PEM form."""


@dataclass(frozen=True)
class Settings:
    """Places that every step needs.

    Attributes:
        workspace: root of the content-addressed storage, a local folder or an S3 prefix.
        cache: local folder for fetched files.
        scratch: local folder in which steps get their own work folders.
        pythons: interpreter by environment name.
        waits: seconds before a step is tried again that was ended from outside; as many times as there are.
        executor: what runs the processes of steps, a name in `litegate.execution.executors`.
        warm: folder in which warm parents listen, if there are any; None for none.
    """

    workspace: str
    cache: Path
    scratch: Path
    pythons: dict[str, Path]
    waits: tuple[float, ...] = (5.0, 30.0)
    executor: str = "cold"
    warm: Path | None = None


def default_home() -> Path:
    """`LITEGATE_HOME`, or `.litegate` in the current folder: all local state is below it."""
    return Path(os.environ.get("LITEGATE_HOME") or ".litegate").absolute()


def workspace(home: Path | None = None) -> str:
    """`LITEGATE_WORKSPACE`, or a folder below the home: the root of the content-addressed storage."""
    return os.environ.get("LITEGATE_WORKSPACE") or str((home or default_home()) / "workspace")


def executor() -> str:
    """`LITEGATE_EXECUTOR`, or `auto`: what runs the processes of steps."""
    return os.environ.get("LITEGATE_EXECUTOR") or "auto"


def s3_timeout() -> float:
    """`LITEGATE_S3_TIMEOUT`, or 60: seconds that an S3 server may say nothing before it is asked again.

    Raises:
        BadInput: it is no positive number.
    """
    text = os.environ.get("LITEGATE_S3_TIMEOUT") or "60"
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < math.inf:
        raise BadInput("LITEGATE_S3_TIMEOUT", "a positive number of seconds", repr(text))
    return seconds


def warm_folder(home: Path) -> Path:
    """`LITEGATE_WARM`, or a folder below the home: where warm parents listen, if there are any."""
    return Path(os.environ.get("LITEGATE_WARM") or home / "warm").absolute()


def settings(home: Path | None = None) -> Settings:
    """The settings of this process.

    Args:
        home: the folder of all local state; None for the default one.

    Raises:
        StackError: if no Python with TensorFlow can be found.
    """
    home = home or default_home()
    return Settings(
        workspace=workspace(home),
        cache=home / "cache",
        scratch=home / "scratch",
        pythons={"service": Path(sys.executable), "tensorflow": _tensorflow_python()},
        executor=executor(),
        warm=warm_folder(home),
    )


def _tensorflow_python() -> Path:
    named = os.environ.get("LITEGATE_TENSORFLOW_PYTHON")
    python = Path(named) if named else Path(sys.prefix).parent / ".venv-tensorflow" / "bin" / "python"
    if not python.exists():
        raise StackError(f"no Python with TensorFlow at {python}: run `make setup` or set LITEGATE_TENSORFLOW_PYTHON")
    return python
