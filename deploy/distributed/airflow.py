"""Airflow's servers on their hosts, and the MLflow server: commands and variables."""

from __future__ import annotations

import os
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from deploy.distributed.hosts import Host
from deploy.distributed.server import Server

__all__ = ["ADMIN", "Addresses", "airflow_server", "control_variables", "mlflow_server", "worker_variables"]

ADMIN = "admin"
_KEPT = ("HOME", "LANG", "LD_LIBRARY_PATH", "PATH", "PYTHONDONTWRITEBYTECODE", "TZ", "VK_DRIVER_FILES")
_QUIET = {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "PYTHONUNBUFFERED": "1",
    # Without it a process that renames itself overwrites its environment.
    "SPT_NOENV": "1",
}
_AIRFLOW = {
    "CELERY__WORKER_PREFETCH_MULTIPLIER": "1",
    "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
    "CORE__EXECUTOR": "CeleryExecutor",
    "CORE__HOSTNAME_CALLABLE": "socket.gethostname",
    "CORE__LOAD_EXAMPLES": "False",
    "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{ADMIN}:admin",
    "DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": "2",
    "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "10",
    "DAG_PROCESSOR__REFRESH_INTERVAL": "5",
    "LOGGING__REMOTE_BASE_LOG_FOLDER": "s3://airflow-logs/tasks",
    "LOGGING__REMOTE_LOGGING": "True",
    "LOGGING__REMOTE_LOG_CONN_ID": "s3_models",
    # A worker that was killed is noticed, and its tasks are tried again, within this many seconds.
    "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
    "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "10",
    "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.25",
    "WORKERS__EXECUTION_API_RETRIES": "10",
    "WORKERS__EXECUTION_API_RETRY_WAIT_MAX": "15",
    "WORKERS__EXECUTION_API_TIMEOUT": "60",
}


@dataclass(frozen=True)
class Addresses:
    """Where the servers are, passwords and all: what a variable may have, and no command line.

    Attributes:
        airflow_database, results, mlflow_database: SQLAlchemy's addresses, from `//` on.
        queue: Redis.
        airflow, mlflow, s3: as users reach them.
        password: of Airflow's administrator.
    """

    airflow_database: str
    results: str
    mlflow_database: str
    queue: str
    airflow: str
    mlflow: str
    s3: str
    password: str = field(default_factory=lambda: secrets.token_urlsafe(15))
    fernet: str = field(default_factory=lambda: urlsafe_b64encode(os.urandom(32)).decode())
    signing: str = field(default_factory=lambda: secrets.token_hex(64))


def control_variables(host: Host, python: Path, addresses: Addresses) -> dict[str, str]:
    """Of the host with scheduler, DAG processor, triggerer and API server."""
    settings = {
        "API__BASE_URL": addresses.airflow,
        "API__SECRET_KEY": addresses.signing,
        "API_AUTH__JWT_SECRET": addresses.signing,
        "CORE__FERNET_KEY": addresses.fernet,
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(host.folder / "users.json"),
        "DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2:{addresses.airflow_database}",
    }
    return _variables(host, python, addresses, settings)


def worker_variables(host: Host, python: Path, addresses: Addresses, tensorflow: Path) -> dict[str, str]:
    """Of a worker: it reaches Celery's queue and results, Airflow's API, and by connections S3 and MLflow.

    Neither Airflow's database nor its Fernet key, nor any key of S3 is among them.
    """
    return _variables(host, python, addresses, {}) | {
        "LITEGATE_HOME": str(host.folder / "litegate"),
        "LITEGATE_TENSORFLOW_PYTHON": str(tensorflow),
        "LITEGATE_WORKSPACE": "s3://litegate/workspace",
        "LITEGATE_MLFLOW_URL": addresses.mlflow,
    }


def _variables(host: Host, python: Path, addresses: Addresses, settings: Mapping[str, str]) -> dict[str, str]:
    every = (
        _AIRFLOW
        | dict(settings)
        | {
            "CELERY__BROKER_URL": addresses.queue,
            "CELERY__RESULT_BACKEND": f"db+postgresql:{addresses.results}",
            "CORE__DAGS_FOLDER": str(host.folder / "dags"),
            "CORE__EXECUTION_API_SERVER_URL": f"{addresses.airflow}/execution/",
        }
    )
    airflow = {f"AIRFLOW__{name}": value for name, value in every.items()}
    return _of_host(host, python) | airflow | {"AIRFLOW_HOME": str(host.folder / "airflow")}


def _of_host(host: Host, python: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    path = f"{python.parent}{os.pathsep}{kept.get('PATH', os.defpath)}"
    return kept | _QUIET | {"PATH": path, "NO_PROXY": "127.0.0.1", "TMPDIR": str(host.folder / "tmp")}


def airflow_server(
    name: str, host: Host, python: Path, variables: Mapping[str, str], *arguments: str, **more: object
) -> Server:
    """One of Airflow's servers, or `litegate warm`; `more` are arguments of `Server`."""
    command = host.command(str(python), "-m", *arguments)
    ready = more.pop("ready", lambda: True)
    return Server(name, command, variables, host.folder, host.folder / f"{name}.log", ready, **more)  # type: ignore[arg-type]


def mlflow_server(host: Host, python: Path, addresses: Addresses, keys: Mapping[str, str]) -> Server:
    """MLflow's server, which alone reaches its artifacts on S3: whoever logs a model needs no key of S3."""
    variables = (
        _of_host(host, python)
        | dict(keys)
        | {
            "AWS_ENDPOINT_URL_S3": addresses.s3,
            "AWS_DEFAULT_REGION": "us-east-1",
            "MLFLOW_ARTIFACTS_DESTINATION": "s3://mlflow/artifacts",
            "MLFLOW_BACKEND_STORE_URI": f"postgresql+psycopg2:{addresses.mlflow_database}",
        }
    )
    port = addresses.mlflow.rpartition(":")[2]
    arguments = ("mlflow", "server", "--host", "127.0.0.1", "--port", port, "--workers", "1")
    return airflow_server(
        "mlflow", host, python, variables, *arguments, ready=lambda: answers(f"{addresses.mlflow}/health")
    )


def answers(url: str) -> bool:
    """Whether a server answers well."""
    try:
        return httpx.get(url, timeout=5, trust_env=False).is_success
    except httpx.HTTPError:
        return False
