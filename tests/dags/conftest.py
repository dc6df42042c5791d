"""DAGs as Airflow loads them, and a way to run one to its end in this process."""

from __future__ import annotations

import importlib
import os
import subprocess
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from litegate.settings import settings

DAGS = Path(__file__).parents[2] / "dags"
MAKERS = Path(__file__).parents[1] / "components/models"
MAKE_QUARTERS = """
import pathlib, sys
import make_models

folder = pathlib.Path(sys.argv[1])
make_models.data(folder)
make_models.trained(make_models.keras, folder).save(folder / "keras3.keras")
"""


@pytest.fixture(scope="session")
def airflow_database() -> None:
    """Airflow's own tables, once."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.utils.db import initdb
    from airflow.utils.session import create_session

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its dependencies deprecate each other, at import
        importlib.import_module("airflow.api_fastapi.execution_api.app")
    initdb()
    with create_session() as session:
        DagBundlesManager().sync_bundles_to_db(session=session)


@pytest.fixture
def load_dags(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """Parse a file of `dags/` with more folders of specs; its DAGs by id."""

    def load(*spec_folders: Path, file: str = "quantize.py") -> dict[str, Any]:
        from airflow.dag_processing.dagbag import DagBag

        monkeypatch.setenv("LITEGATE_SPEC_FOLDERS", os.pathsep.join(map(str, spec_folders)))
        bag = DagBag(DAGS / file)
        assert bag.import_errors == {}
        return dict(bag.dags)

    return load


@pytest.fixture
def run_dag(airflow_database: None, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], Any]:
    """Run a DAG without a scheduler."""

    def run(dag: Any) -> Any:
        from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db

        sleep = time.sleep  # between two looks at what can run, where a scheduler would be
        monkeypatch.setattr("time.sleep", lambda seconds: sleep(min(seconds, 0.01)))

        bag = DagBag(os.devnull, collect_dags=False)
        bag.bag_dag(dag)
        sync_bag_to_db(bag, "dags-folder", None)
        return dag.test()

    return run


@pytest.fixture(scope="session")
def quarters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the smallest of the real models, `keras3.keras`, and its data sets."""
    folder = tmp_path_factory.mktemp("quarters")
    command = [str(settings().pythons["tensorflow"]), "-c", MAKE_QUARTERS, str(folder)]
    done = subprocess.run(command, cwd=MAKERS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder
