"""DAGs as Airflow loads them, and a way to run one to its end in this process."""

from __future__ import annotations

import importlib
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

DAGS = Path(__file__).parents[2] / "dags"


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
    """Run a DAG without a scheduler, with the parameters in `conf`."""

    def run(dag: Any, conf: dict[str, Any] | None = None) -> Any:
        from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db

        sleep = time.sleep  # between two looks at what can run, where a scheduler would be
        monkeypatch.setattr("time.sleep", lambda seconds: sleep(min(seconds, 0.01)))

        bag = DagBag(os.devnull, collect_dags=False)
        bag.bag_dag(dag)
        sync_bag_to_db(bag, "dags-folder", None)
        return dag.test(run_conf=conf)

    return run
