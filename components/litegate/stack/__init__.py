"""The embedded stack: Airflow, MLflow and an S3 server on loopback, below one home folder.

A supervisor process owns the servers (`supervisor`); everybody else asks here to start, stop or find
them. Airflow and MLflow are only ever run as processes: nothing here imports them.
"""

from __future__ import annotations

from litegate.stack.home import Home
from litegate.stack.lifecycle import running, start, stop
from litegate.stack.state import Stack

__all__ = ["Home", "Stack", "running", "start", "stop"]
