"""The servers of the stack: how each is run, how long it may take to end, whether it is healthy."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from litegate.errors import StackError
from litegate.execution.warm.keeping import command
from litegate.settings import settings
from litegate.stack.home import Home
from litegate.stack.http import no_certificates
from litegate.stack.state import Stack

__all__ = ["AIRFLOW_SERVERS", "MIGRATION", "START_LIMIT", "Server", "listens", "servers", "unhealthy"]

START_LIMIT = 180
"""Seconds until every server has to be healthy."""
AIRFLOW_SERVERS = ("api-server", "scheduler", "dag-processor", "triggerer")


@dataclass(frozen=True)
class Server:
    """One server.

    Attributes:
        grace: seconds that it has to end by itself.
        repeat: seconds after which it is asked again to end, 0 for never.
        warm: for a warm parent of steps the folder that it works in: it gets no secrets, and nothing waits for it.
    """

    name: str
    command: tuple[str, ...]
    grace: float = 5
    repeat: float = 0
    warm: Path | None = None


def _python(name: str, *arguments: str, grace: float = 5, repeat: float = 0) -> Server:
    return Server(name, (sys.executable, "-m", *arguments), grace, repeat)


MIGRATION = _python("airflow-migration", "airflow", "db", "migrate")


def servers(home: Home, stack: Stack) -> dict[str, Server]:
    """The stack's servers by name, in the order in which they are started."""
    airflow, mlflow, s3 = (_address(url) for url in (stack.airflow_url, stack.mlflow_url, stack.s3_url))
    mlflow_stores = (
        *("--backend-store-uri", f"sqlite:///{home.root}/mlflow/mlflow.db"),
        *("--artifacts-destination", str(home.root / "mlflow" / "artifacts")),
        # Airflow's pages may show MLflow's in a frame.
        *("--x-frame-options", "NONE"),
    )
    every = (
        _python("s3", "litegate.stack.s3", *s3, str(home.s3)),
        _python(
            "mlflow", "mlflow", "server", "--host", mlflow[0], "--port", mlflow[1], "--workers", "1", *mlflow_stores
        ),
        _python("api-server", "airflow", "api-server", "--host", airflow[0], "--port", airflow[1], "--workers", "1"),
        _python("scheduler", "litegate_airflow.server", "scheduler", "--skip-serve-logs", grace=9, repeat=3),
        _python("dag-processor", "litegate_airflow.server", "dag-processor"),
        # It needs 10 s to end by itself, and has nothing to lose: its triggers are in the database.
        _python("triggerer", "airflow", "triggerer", "--skip-serve-logs", grace=2),
        *_warm_parents(home),
    )
    return {server.name: server for server in every if server.name != "s3" or stack.embedded_s3}


def _warm_parents(home: Home) -> Iterator[Server]:
    try:
        pythons = settings(home.root).pythons
    except StackError:  # each step will say so
        return
    for environment, python in pythons.items():
        yield Server(f"warm-{environment}", command(environment, python, home.warm), warm=home.warm)


_EVER = datetime.min.replace(tzinfo=UTC)


def unhealthy(stack: Stack, since: datetime = _EVER) -> tuple[str, ...]:
    """Names of the servers that do not answer, or whose last heartbeat is from before `since`."""
    return tuple(_unhealthy(stack, since))


def _unhealthy(stack: Stack, since: datetime) -> Iterator[str]:
    if not listens(stack.s3_url):
        yield "s3"
    if _get(f"{stack.mlflow_url}/health") is None:
        yield "mlflow"
    health = _get(f"{stack.airflow_url}/api/v2/monitor/health")
    if health is None:
        yield from AIRFLOW_SERVERS
        return
    for name in AIRFLOW_SERVERS[1:]:
        key = name.replace("-", "_")
        component = health.json().get(key) or {}
        beat = component.get(f"latest_{key}_heartbeat")
        if component.get("status") != "healthy" or beat is None or datetime.fromisoformat(beat) < since:
            yield name


def _get(url: str) -> httpx.Response | None:
    try:
        return httpx.get(url, timeout=5, trust_env=False, verify=no_certificates()).raise_for_status()
    except httpx.HTTPError:
        return None


def listens(url: str) -> bool:
    """Whether anybody accepts connections there."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), timeout=5).close()
    except OSError:
        return False
    return True


def _address(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.hostname or "", str(parts.port)
