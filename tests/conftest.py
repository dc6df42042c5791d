"""What all tests share: a private Airflow, and an MLflow server of their own.

Airflow reads its settings when it is first imported, so they are set before any test module is.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

HOME = Path(tempfile.mkdtemp(prefix="litegate-test-airflow-"))
atexit.register(shutil.rmtree, HOME, ignore_errors=True)

for name in [name for name in os.environ if name.startswith(("AIRFLOW", "LITEGATE_", "MLFLOW_"))]:
    if name != "LITEGATE_TENSORFLOW_PYTHON":
        del os.environ[name]
(HOME / "dags").mkdir()
os.environ |= {
    "AIRFLOW_HOME": str(HOME),
    "AIRFLOW__CORE__DAGS_FOLDER": str(HOME / "dags"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{HOME}/airflow.db",
    "AIRFLOW__API_AUTH__JWT_SECRET": "for tests only " * 8,
}


@dataclass(frozen=True)
class MlflowServer:
    """A server of the tests' own: where it answers, and the folder that its artifacts are in."""

    url: str
    artifacts: Path


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    root = tmp_path_factory.mktemp("mlflow")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    options = {
        "--host": "127.0.0.1",
        "--port": port,
        "--workers": "1",
        "--backend-store-uri": f"sqlite:///{root}/mlflow.db",
        "--artifacts-destination": str(root / "artifacts"),
    }
    quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    command = [sys.executable, "-m", "mlflow", "server", *(part for option in options.items() for part in option)]
    with (root / "log").open("w") as log:
        process = subprocess.Popen(
            command, env=os.environ | quiet, cwd=root, stdout=log, stderr=log, start_new_session=True
        )
    try:
        _wait_until_healthy(f"http://127.0.0.1:{port}", process, root / "log")
        yield MlflowServer(f"http://127.0.0.1:{port}", root / "artifacts")
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_until_healthy(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(1200):
        assert process.poll() is None, log.read_text()[-2000:]
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(log.read_text()[-2000:])
