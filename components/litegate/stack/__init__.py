"""The embedded stack: Airflow, MLflow and an S3 server on loopback, below one home folder.

A supervisor process owns the servers (`supervisor`); everybody else asks here to start, stop or find
them. Airflow and MLflow are only ever run as processes: nothing here imports them. A command that only names its home
imports no more than that.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from litegate.stack.home import Home
    from litegate.stack.lifecycle import running, start, stop
    from litegate.stack.state import Stack

__all__ = ["Home", "Stack", "running", "start", "stop"]

_MODULE_OF = {"Home": "home", "Stack": "state", "running": "lifecycle", "start": "lifecycle", "stop": "lifecycle"}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
