"""What all tests share: a private Airflow, and an MLflow server of their own.

Airflow reads its settings when it is first imported, so they are set before any test module is.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import servers

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


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.MlflowServer]:
    """An MLflow server of the tests' own."""
    with servers.mlflow_server(tmp_path_factory.mktemp("mlflow")) as server:
        yield server
