"""OpenLineage events of a whole run, by Airflow's own provider, as it writes them to a file."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from litegate_airflow.runtime.lineage import version
from tests.dags.pretended import Run, Steps


@pytest.fixture
def events(airflow_database: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file that the provider's listener writes to while this fixture lives."""
    path = tmp_path / "events.jsonl"
    transport = {"type": "file", "log_file_path": str(path), "append": True}
    monkeypatch.setenv("AIRFLOW__OPENLINEAGE__TRANSPORT", json.dumps(transport))
    monkeypatch.setenv("AIRFLOW__OPENLINEAGE__EXECUTE_IN_THREAD", "True")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://robot:hidden@mlflow.example:8443")
    conf = importlib.import_module("airflow.providers.openlineage.conf")
    _forget(conf)
    listener = importlib.import_module("airflow.providers.openlineage.plugins.listener").OpenLineageListener()
    manager = importlib.import_module("airflow.sdk.listener").get_listener_manager()
    manager.add_listener(listener)
    yield path
    manager.pm.unregister(listener)
    monkeypatch.undo()
    _forget(conf)


def _forget(conf: Any) -> None:
    """The provider keeps what it has read of Airflow's settings."""
    for each in vars(conf).values():
        if hasattr(each, "cache_clear"):
            each.cache_clear()


def complete(path: Path) -> dict[str, dict[str, Any]]:
    """The events of tasks that have ended well, by task."""
    found = [json.loads(line) for line in path.read_text().splitlines()]
    return {event["job"]["name"].rpartition(".")[2]: event for event in found if event["eventType"] == "COMPLETE"}


def things(datasets: list[dict[str, Any]]) -> set[tuple[str, str, str, str]]:
    return {
        (
            each["namespace"],
            each["name"],
            each["facets"]["version"]["datasetVersion"],
            each["facets"]["datasetType"]["datasetType"],
        )
        for each in datasets
    }


def test_datasets_models_and_versions_are_told(events: Path, run_flow: Run) -> None:
    run_flow(Steps())

    told = complete(events)
    model, data = ("file", "m.keras", "2" * 64, "MODEL"), ("file", "d.npz", "1" * 64, "FILE")
    mlflow = "mlflow://mlflow.example:8443"
    assert things(told["resolve"]["inputs"]) == {model, data}
    assert things(told["register"]["inputs"]) == {model, data}
    ((*where, _, _),) = things(told["register"]["outputs"])
    assert where == [mlflow, "m"]
    assert things(told["promote"]["inputs"]) == things(told["register"]["outputs"])
    assert {name for _, name, _, _ in things(told["promote"]["outputs"])} == {"m@champion"}
    assert told["gate"]["inputs"] == [], "which reads no data of its own"
    assert "hidden" not in events.read_text()


def test_where_nothing_passes_no_version_is_told(events: Path, run_flow: Run) -> None:
    run_flow(Steps(passing=False))

    told = complete(events)
    assert told["register"]["outputs"] == []
    assert "promote" not in told


def test_operators_need_no_provider(usual_run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has none installed has the same tasks; the module is read by all operators."""
    loaded = [name for name in sys.modules if name.startswith(("openlineage.", "airflow.providers.openlineage."))]
    for name in loaded:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "openlineage", None)
    monkeypatch.setitem(sys.modules, "airflow.providers.openlineage", None)
    monkeypatch.delitem(sys.modules, "litegate_airflow.runtime.lineage")
    fresh = importlib.import_module("litegate_airflow.runtime.lineage")
    assert fresh.version("m", 3).version == version("m", 3).version == "3"
    with pytest.raises(ImportError):
        fresh.operator_lineage((), ())
