"""What all tests share: a private Airflow, and MLflow and S3 servers of their own.

Airflow reads its settings when it is first imported, so they are set before any test module is.
"""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import tempfile
import uuid
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests import guarded, servers

HOME = Path(tempfile.mkdtemp(prefix="litegate-test-airflow-"))
atexit.register(shutil.rmtree, HOME, ignore_errors=True)

for name in [name for name in os.environ if name.startswith(("AIRFLOW", "LITEGATE_", "MLFLOW_"))]:
    if name not in ("LITEGATE_BROWSER", "LITEGATE_SCREENSHOTS", "LITEGATE_TENSORFLOW_PYTHON"):
        del os.environ[name]
(HOME / "dags").mkdir()
os.environ |= {
    "AIRFLOW_HOME": str(HOME),
    "AIRFLOW__CORE__DAGS_FOLDER": str(HOME / "dags"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{HOME}/airflow.db",
    "AIRFLOW__API_AUTH__JWT_SECRET": "for tests only " * 8,
    # Hundreds of processes load numpy, and the threads that OpenBLAS starts for it spin for a while.
    "OPENBLAS_NUM_THREADS": "1",
}

SLOW = frozenset({"guarded_mlflow", "guarded_s3", "mlflow_server", "own_mlflow_server", "run_dag"})
"""Fixtures that a quick test does without: servers in processes of their own, and Airflow that runs a DAG."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need them."""
    for item in items:
        if SLOW.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("e2e")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Let no collection of garbage, now, later or in a forked process, look at thousands of tests again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.MlflowServer]:
    """An MLflow server of the tests' own, of which this process asks what a step does, and no more."""
    from litegate.flavor.asked_once import ask_once

    ask_once()
    with servers.mlflow_server(tmp_path_factory.mktemp("mlflow")) as server:
        yield server


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """moto's S3 server on a free loopback port; its address."""
    with servers.s3_server() as url:
        yield url


@pytest.fixture
def s3_bucket(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A bucket of the test's own, with boto3 configured by environment variables as for any S3 server."""
    from litegate.storage.s3 import client_for, s3_client

    variables = {
        "AWS_ENDPOINT_URL_S3": s3_server,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    client_for.cache_clear()
    bucket = f"test-{uuid.uuid4().hex[:8]}"
    s3_client().create_bucket(Bucket=bucket)
    yield bucket
    s3_client().close()
    client_for.cache_clear()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> guarded.Certificates:
    """Those of an authority that no program knows by itself."""
    return guarded.new_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def guarded_s3(
    tmp_path_factory: pytest.TempPathFactory, certificates: guarded.Certificates
) -> Iterator[guarded.GuardedS3]:
    """An S3 server behind TLS that asks for signatures, session tokens and rights, with STS and a bucket."""
    with guarded.guarded_s3(tmp_path_factory.mktemp("guarded-s3"), certificates) as server:
        yield server


@pytest.fixture(scope="session")
def guarded_mlflow(
    tmp_path_factory: pytest.TempPathFactory, certificates: guarded.Certificates
) -> Iterator[guarded.GuardedMlflow]:
    """An MLflow server behind TLS that asks for a log-in, or a token."""
    with guarded.guarded_mlflow(tmp_path_factory.mktemp("guarded-mlflow"), certificates) as server:
        yield server


@pytest.fixture(scope="session")
def maker(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Makes models once for all test processes; what was made stays in pytest's cache, if it keeps one."""
    from tests.models.once import Maker

    cache = getattr(pytestconfig, "cache", None)
    return Maker(tmp_path_factory.mktemp("made") if cache is None else cache.mkdir("litegate-models"))


@pytest.fixture(scope="session")
def warm_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the warm parents of this test process listen, those that a test has asked for."""
    return tmp_path_factory.mktemp("warm")


@pytest.fixture(scope="session")
def warm_service(warm_folder: Path) -> Iterator[Path]:
    """The folder of warm parents, with the one for MLflow's environment."""
    with _warm_parent("service", warm_folder):
        yield warm_folder


@pytest.fixture(scope="session")
def warm_tensorflow(warm_folder: Path) -> Iterator[Path]:
    """The folder of warm parents, with the one for TensorFlow's environment."""
    with _warm_parent("tensorflow", warm_folder):
        yield warm_folder


@pytest.fixture(scope="session")
def warm_parents(warm_service: Path, warm_tensorflow: Path) -> Path:
    """The folder in which warm parents of both environments listen."""
    return warm_service


@pytest.fixture(scope="module")
def warm_mlflow_steps(warm_service: Path) -> Iterator[None]:
    """Steps of MLflow's environment that find their places by `settings()` are forks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LITEGATE_WARM", str(warm_service))
        yield


@pytest.fixture(scope="module")
def warm_steps(warm_parents: Path) -> Iterator[None]:
    """Steps that find their places by `settings()` are forks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LITEGATE_WARM", str(warm_parents))
        yield


@contextmanager
def _warm_parent(environment: str, folder: Path) -> Iterator[None]:
    from litegate.execution.warm.keeping import kept
    from litegate.settings import settings

    with kept(environment, settings().pythons[environment], folder) as wait:
        wait()
        yield


@pytest.fixture(scope="module")
def own_mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.MlflowServer]:
    """One that no other module writes to, for tests that read all there is."""
    with servers.mlflow_server(tmp_path_factory.mktemp("own-mlflow")) as server:
        yield server
