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

from litegate_airflow import plugin
from tests.dags.pretended import SPEC, Outcome, Run, Steps
from tests.models.once import Maker

DAGS = Path(__file__).parents[2] / "dags"
EXAMPLES = (DAGS / "examples",)
"""Read as after `litegate demo`."""
MAKERS = Path(__file__).parents[1] / "models"
MAKE_QUARTERS = """
import pathlib, sys
sys.path.insert(0, sys.argv[2])
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
    listeners = importlib.import_module("airflow.listeners.listener").get_listener_manager()
    if not listeners.pm.is_registered(plugin):  # where this project is not installed anew since it has the plugin
        listeners.add_listener(plugin)


@pytest.fixture
def load_dags(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """Parse the DAG file with folders of specs; the DAGs of a kind, or of all, by id."""

    def load(*spec_folders: Path, kind: str = "quantize") -> dict[str, Any]:
        from airflow.dag_processing.dagbag import DagBag

        monkeypatch.setenv("LITEGATE_SPEC_FOLDERS", os.pathsep.join(map(str, (*EXAMPLES, *spec_folders))))
        bag = DagBag(DAGS / "litegate_dags.py")
        assert bag.import_errors == {}
        return {dag_id: dag for dag_id, dag in bag.dags.items() if dag_id.startswith(kind)}

    return load


@pytest.fixture
def run_dag(airflow_database: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Run a DAG without a scheduler, as a run that began with the events of an asset if one is named.

    Tasks whose ids match the whole of `but` are not run, and succeed; the options are those of `DAG.test`.
    """

    def run(dag: Any, asset_uri: str | None = None, but: str | None = None, **options: Any) -> Any:
        from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
        from airflow.models import dagrun

        sleep = time.sleep  # between two looks at what can run, where a scheduler would be
        monkeypatch.setattr("time.sleep", lambda seconds: sleep(min(seconds, 0.05)))

        dag.deadline = None  # `dag.test` of Airflow 3.3 cannot run a DAG that has one
        bag = DagBag(os.devnull, collect_dags=False)
        bag.bag_dag(dag)
        sync_bag_to_db(bag, "dags-folder", None)
        created = dagrun.get_or_create_dagrun
        with monkeypatch.context() as patch:
            if asset_uri is not None:
                patch.setattr(dagrun, "get_or_create_dagrun", _beginning_with(asset_uri, created))
            return dag.test(mark_success_pattern=but, **options)

    return run


def _beginning_with(asset_uri: str, create: Callable[..., Any]) -> Callable[..., Any]:
    """What the scheduler does when asset events begin a run."""

    def get_or_create_dagrun(*, session: Any, **arguments: Any) -> Any:
        from airflow.models.asset import AssetEvent, AssetModel

        run = create(session=session, **arguments)
        of_asset = AssetModel.id == AssetEvent.asset_id
        run.consumed_asset_events.extend(session.query(AssetEvent).join(AssetModel, of_asset).filter_by(uri=asset_uri))
        session.commit()
        return run

    return get_or_create_dagrun


@pytest.fixture
def run_flow(
    load_dags: Callable[..., Any], run_dag: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Run:
    """Run the DAG of a small spec with pretended steps; keywords fill `SPEC`."""

    def run(steps: Steps, conf: dict[str, Any] | None = None, **keys: str) -> Outcome:
        defaults = {"variants": "[dynamic_range, int8]", "on_reject": "fail", "from_champion": "null"}
        defaults |= {"recover": "null", "evaluation": ""}
        (tmp_path / "m.yaml").write_text(SPEC.format(**(defaults | keys)))
        monkeypatch.setattr("litegate_airflow.operators.step.StepRun", steps)
        dag_run = run_dag(load_dags(tmp_path)["quantize__m"], run_conf=conf)
        instances = dag_run.get_task_instances()
        return Outcome(steps, {f"{i.task_id}/{i.rendered_map_index or ''}".rstrip("/"): i for i in instances})

    return run


_USUAL: list[Outcome] = []


@pytest.fixture
def usual_run(run_flow: Run) -> Outcome:
    """One in which nothing fails and nothing was known before; the same for all tests, which only look at it."""
    if not _USUAL:
        _USUAL.append(run_flow(Steps()))
    return _USUAL[0]


@pytest.fixture(scope="session")
def quarters(maker: Maker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the smallest of the real models, `keras3.keras`, and its datasets."""
    program = MAKERS / "make_models.py"
    command = ("-c", MAKE_QUARTERS, "{folder}", str(MAKERS))
    return maker.make(tmp_path_factory.mktemp("quarters"), *command, sources=(program,))
