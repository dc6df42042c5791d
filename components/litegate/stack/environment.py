"""The environment of the servers, of the tasks that Airflow runs, and of the user's own clients."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from litegate.stack.home import ADMIN, KEY_PREFIX, Home, Secrets
from litegate.stack.processes import MARKER
from litegate.stack.state import EMBEDDED_S3, Stack

__all__ = ["client_environment", "keys_of_others", "server_environment", "shell_environment"]

_DROPPED = ("AIRFLOW", "_AIRFLOW", "MLFLOW_", "SPT_", MARKER)
_OBSERVING = ("AIRFLOW__METRICS__", "AIRFLOW__TRACES__")
"""Of these, the user's own that are kept: where metrics and traces go."""

_QUIET = {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_AGENT_HINT": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "PYTHONUNBUFFERED": "1",
    # Without it a process that renames itself overwrites its environment, and our marker with it.
    "SPT_NOENV": "1",
}

# The scheduler's settings take ten small tasks from 5-15 s to 2 s. The idle sleep is that while tasks are at work:
# `litegate_airflow.server` makes it longer while none are.
_AIRFLOW = {
    "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
    "CORE__EXECUTOR": "LocalExecutor",
    "CORE__HOSTNAME_CALLABLE": "socket.gethostname",
    "CORE__LOAD_EXAMPLES": "False",
    "CORE__PARALLELISM": "8",
    "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{ADMIN}:admin",
    "DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": "2",
    # Parsing is most of what idle servers do; a new DAG file is parsed at once, and `litegate run` asks for its own.
    "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "60",
    "DAG_PROCESSOR__REFRESH_INTERVAL": "5",
    # A spec that is edited twice within half a minute would run as it was before the second time.
    "CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": "0",
    # A look costs as much as there are runs. They take turns, and one whose task has ended is looked at first.
    "SCHEDULER__MAX_DAGRUNS_PER_LOOP_TO_SCHEDULE": "5",
    "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "10",
    "SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "15",
    "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.25",
    "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
    # A busy API server must not fail the tasks that ask it: by default they give up after some 40 s.
    "WORKERS__EXECUTION_API_RETRIES": "10",
    "WORKERS__EXECUTION_API_RETRY_WAIT_MAX": "15",
    "WORKERS__EXECUTION_API_TIMEOUT": "60",
    "WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
}


def client_environment(home: Home, stack: Stack) -> dict[str, str]:
    """What a client needs to reach the stack's S3 server and MLflow."""
    reach = {"MLFLOW_TRACKING_URI": stack.mlflow_url}
    if not stack.embedded_s3:
        return reach
    secrets = Secrets.of(home)
    return reach | {
        "AWS_ACCESS_KEY_ID": secrets.s3_key,
        "AWS_SECRET_ACCESS_KEY": secrets.s3_secret,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_S3": stack.s3_url,
        EMBEDDED_S3: stack.s3_url,
    }


# A shell keeps what it was told when the servers have gone: MLflow's client would ask them again for minutes.
_AT_ONCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE")
_ENDPOINTS = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3")


def shell_environment(home: Home, stack: Stack) -> dict[str, str]:
    """What a shell exports, so that the clients that a person starts in it reach the stack, or fail at once."""
    return client_environment(home, stack) | _AT_ONCE


def keys_of_others(environment: Mapping[str, str]) -> list[str]:
    """Names of variables that tell clients to use another S3 server, with keys that are none of ours."""
    if environment.get("AWS_ACCESS_KEY_ID", "").startswith(KEY_PREFIX):
        return []
    return [name for name in (*_KEYS, *_ENDPOINTS) if environment.get(name)]


def server_environment(home: Home, stack: Stack, secrets: Secrets, base: Mapping[str, str]) -> dict[str, str]:
    """What every server runs with; Airflow hands it on to its tasks."""
    dropped = (*_DROPPED, "AWS_") if stack.embedded_s3 else _DROPPED
    kept = {name: value for name, value in base.items() if not name.startswith(dropped) or name.startswith(_OBSERVING)}
    return (
        kept | _QUIET | _litegate(home, stack, base) | _airflow(home, stack, secrets) | client_environment(home, stack)
    )


def _litegate(home: Home, stack: Stack, base: Mapping[str, str]) -> dict[str, str]:
    values = {
        MARKER: stack.marker,
        "LITEGATE_AIRFLOW_URL": stack.airflow_url,
        "LITEGATE_HOME": str(home.root),
        "LITEGATE_MLFLOW_URL": stack.mlflow_url,
        "LITEGATE_SPEC_FOLDERS": str(home.specs),
        "LITEGATE_WARM": str(home.warm),
        "LITEGATE_WORKSPACE": stack.workspace,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{base.get('PATH', os.defpath)}",
        "NO_PROXY": ",".join(filter(None, ("127.0.0.1", base.get("NO_PROXY") or base.get("no_proxy")))),
    }
    if python := base.get("LITEGATE_TENSORFLOW_PYTHON"):
        values["LITEGATE_TENSORFLOW_PYTHON"] = str(Path(python).absolute())
    if stack.embedded_s3:
        # The user's profiles are for other servers.
        values |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return values | {"no_proxy": values["NO_PROXY"]}


def _airflow(home: Home, stack: Stack, secrets: Secrets) -> dict[str, str]:
    folder = home.root / "airflow"
    settings = _AIRFLOW | {
        "API__BASE_URL": stack.airflow_url,
        "API__SECRET_KEY": secrets.api,
        "API_AUTH__JWT_SECRET": secrets.jwt,
        "CORE__DAGS_FOLDER": stack.dags_folder,
        "CORE__EXECUTION_API_SERVER_URL": f"{stack.airflow_url}/execution/",
        "CORE__FERNET_KEY": secrets.fernet,
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home.airflow_users),
        "CORE__PLUGINS_FOLDER": str(folder / "plugins"),
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder}/airflow.db",
        # Airflow's own file has these as they were at the first start, and a home may be restored elsewhere.
        "LOGGING__BASE_LOG_FOLDER": str(folder / "logs"),
        "LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(folder / "logs" / "dag_processor"),
    }
    return {f"AIRFLOW__{name}": value for name, value in settings.items()} | {"AIRFLOW_HOME": str(folder)}
