"""`litegate start`, `stop`, `status` and `env`."""

from __future__ import annotations

import json
import shlex
from typing import Any

from litegate.cli.progress import start_showing
from litegate.errors import StackError
from litegate.stack import Home, Stack, running, stop
from litegate.stack.environment import client_environment
from litegate.stack.servers import unhealthy

__all__ = ["print_environment", "print_status", "start_servers", "stop_servers"]


def start_servers(home: Home, as_json: bool) -> int:
    """Start the servers, or find them running."""
    start_showing(home)
    return print_status(home, as_json)


def stop_servers(home: Home, as_json: bool) -> int:
    """Stop the servers; a home without any is as good as stopped."""
    stopped = stop(home)
    if as_json:
        print(json.dumps({"stopped": stopped}))
    else:
        print("stopped" if stopped else f"nothing runs in {home.root}")
    return 0


def print_status(home: Home, as_json: bool) -> int:
    """Say whether the servers run and where."""
    found = _status(home, running(home))
    if as_json:
        print(json.dumps(found, indent=2))
    else:
        for name, value in found.items():
            print(f"{name.replace('_', ' ') + ':':<15} {', '.join(value) if isinstance(value, list) else value}")
    return 0 if found["state"] == "healthy" else 1


def print_environment(home: Home) -> int:
    """Print `export` lines for a shell."""
    stack = running(home)
    if stack is None:
        raise StackError(f"no servers run in {home.root}; start them with `litegate start`")
    for name, value in sorted(client_environment(stack).items()):
        print(f"export {name}={shlex.quote(value)}")
    return 0


def _status(home: Home, stack: Stack | None) -> dict[str, Any]:
    if stack is None:
        last = Stack.read(home)
        why = {"state": "failed", "error": last.error} if last and last.error else {"state": "stopped"}
        return why | {"home": str(home.root)}
    waiting = unhealthy(stack) if stack.phase == "ready" else stack.waiting
    state = "unhealthy" if waiting else "healthy"
    return {
        "state": state if stack.phase == "ready" else stack.phase,
        "unhealthy": list(waiting),
        "airflow": stack.airflow_url,
        "airflow_user": "admin",
        "password_file": str(home.password_file),
        "mlflow": f"{stack.mlflow_url}/#/experiments?workflowType=machine_learning",
        "s3": stack.s3_url,
        "workspace": stack.workspace,
        "home": str(home.root),
    }
