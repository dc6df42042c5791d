"""`litegate start`, `stop`, `status` and `env`."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Any

from litegate import disk
from litegate.cli.output import answer
from litegate.cli.progress import start_showing
from litegate.errors import StackError
from litegate.stack import Home, Stack, running, stop
from litegate.stack.ending import last_error
from litegate.stack.environment import keys_of_others, shell_environment
from litegate.stack.ports import Asked
from litegate.stack.servers import unhealthy
from litegate.stack.state import EMBEDDED_S3

__all__ = ["print_environment", "print_status", "start_servers", "stop_servers"]

_OTHERS = (
    "Other users of this host can read and change MLflow, which has no log-in here; Airflow and the S3 server ask for "
    "a password and keys. How to close MLflow: docs/threat-model.md."
)


def start_servers(home: Home, target: Path | None, ports: Asked | None = None) -> int:
    """Start the servers, or find them running."""
    if opened := home.prepare():
        print(f"closed to other users of this host: {', '.join(opened)} in {home.root}", file=sys.stderr)
    if short := disk.shortage(home.root, disk.COMFORTABLE):
        print(short, file=sys.stderr)
    start_showing(home, ports)
    code = print_status(home, target)
    print(_OTHERS, file=sys.stderr)
    return code


def stop_servers(home: Home, target: Path | None) -> int:
    """Stop the servers; a home without any is as good as stopped."""
    stopped = stop(home)
    text = "stopped" if stopped else f"nothing runs in {home.root}"
    answer({"stopped": stopped}, target, lambda: print(text))
    return 0


def print_status(home: Home, target: Path | None) -> int:
    """Say whether the servers run and where."""
    found = _status(home, running(home))
    answer(found, target, lambda: _print(found))
    return 0 if found["state"] == "healthy" else 1


def print_environment(home: Home, target: Path | None, replace_aws: bool = False) -> int:
    """Print lines for a shell that export what clients need.

    Args:
        replace_aws: also in place of keys of another S3 server that are set.
    """
    stack = running(home)
    if stack is None:
        raise StackError(f"no servers run in {home.root}; start them with `litegate start`")
    found = dict(sorted(shell_environment(home, stack).items()))
    answer(found, target, lambda: _print_exports(found, keys_of_others(os.environ), replace_aws))
    return 0


def _print_exports(found: dict[str, str], others: list[str], replace_aws: bool) -> None:
    s3 = [name for name in found if name.startswith(("AWS_", EMBEDDED_S3))]
    left_out = s3 if others and not replace_aws else []
    for name in others if s3 and replace_aws else ():
        if name not in found:
            print(f"unset {name}")
    for name, value in found.items():
        if name not in left_out:
            print(f"export {name}={shlex.quote(value)}")
    if left_out:
        print(
            f"this shell has {', '.join(others)}: clients keep using that S3 server, and {', '.join(left_out)} are not "
            "exported; `litegate env --replace-aws` exports them in place of yours",
            file=sys.stderr,
        )


def _print(found: dict[str, Any]) -> None:
    """What runs in a sentence, then where."""
    print(_in_words(found))
    if "airflow" in found:
        print(f"  Airflow    {found['airflow']} (user {found['airflow_user']}, password in {found['password_file']})")
    for key, name in (("mlflow", "MLflow"), ("s3", "S3"), ("workspace", "Workspace"), ("disk", "Disk")):
        if key in found:
            print(f"  {name:<10} {found[key]}")
    for key in ("last_error", "error"):
        if key in found:
            print(f"Last error: {found[key]}")


def _in_words(found: dict[str, Any]) -> str:
    home, names = found["home"], ", ".join(found.get("unhealthy", ())) or "nothing"
    match found["state"]:
        case "stopped":
            return f"No servers run in {home}; `litegate start` starts them."
        case "healthy":
            return f"The servers in {home} run, and all of them respond."
        case "unhealthy":
            return f"The servers in {home} run, but do not all respond: {names}. Their logs are in {home}/logs."
        case "starting":
            return f"The servers in {home} are starting; not up yet: {names}."
        case "stopping":
            return f"The servers in {home} are being stopped."
        case _:
            return f"The servers in {home} have failed; `litegate start` starts them again. Logs: {home}/logs."


def _status(home: Home, stack: Stack | None) -> dict[str, Any]:
    if stack is None:
        return _why_not(home) | {"home": str(home.root)}
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
        **({"disk": stack.disk} if stack.disk else {}),
        **_deaths(home, stack),
    }


def _why_not(home: Home) -> dict[str, Any]:
    """Why no servers run: nobody wants them, or they ended by themselves."""
    last = Stack.read(home)
    if last is None:
        return {"state": "stopped"}
    return {"state": "failed", "error": last_error(home, last), "deaths": [each.to_json() for each in last.deaths]}


def _deaths(home: Home, stack: Stack) -> dict[str, Any]:
    if not stack.deaths:
        return {}
    return {"last_error": last_error(home, stack), "deaths": [each.to_json() for each in stack.deaths]}
