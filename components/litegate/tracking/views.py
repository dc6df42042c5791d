"""Links into MLflow's pages, and two saved views: the variants of the latest pipeline run, and all pipeline runs.

MLflow documents no format for saved views. This is what its user interface 3.17 writes: a tag of the experiment
with the page's state, as JSON, compressed.
"""

from __future__ import annotations

import base64
import json
import time
import zlib
from urllib.parse import urlencode

from mlflow import MlflowClient

from litegate.digest import digest_json
from litegate.tracking import runs
from litegate.work.step_work import log

__all__ = ["link", "runs_link", "save_view", "trend", "variants_link", "view_link"]

NAME, TREND = "Quantization trade-offs", "Pipeline runs"


def _key(name: str) -> str:
    return digest_json(name)[:32]


def _tag(name: str) -> str:
    return f"mlflow.sharedViewState.{_key(name)}"


TAG, TREND_TAG = _tag(NAME), _tag(TREND)

_SECTION = "litegate"
# As many as a screen of 1440 pixels shows beside the run's name; MLflow orders them by name.
_VARIANTS = ("bytes", "drop", "drop_high", "latency_ms")
_TREND = ("drop", "drop_high", "size_ratio", "latency_ms")


def link(path: str, **query: str) -> str:
    """A link that holds wherever the server is reached, and opens in the mode that shows runs and models."""
    return f"#/{path}?{urlencode({'workflowType': 'machine_learning'} | query)}"


def view_link(experiment_id: str) -> str:
    """The variants of an experiment's latest pipeline run, as charts."""
    return link(f"experiments/{experiment_id}/runs", viewStateShareKey=_key(NAME), compareRunsMode="CHART")


def variants_link(experiment_id: str) -> str:
    """The same as a table."""
    return link(f"experiments/{experiment_id}/runs", viewStateShareKey=_key(NAME))


def runs_link(experiment_id: str) -> str:
    """All pipeline runs of an experiment, as a table of what was selected."""
    return link(f"experiments/{experiment_id}/runs", viewStateShareKey=_key(TREND))


def trend(metric: str) -> dict[str, str]:
    """The saved view of all pipeline runs, as a tag of their experiment: it is the same after every run."""
    columns = [
        *(f"attributes.`{name}`" for name in ("User", "Source")),
        *_columns(("outcome", "selected"), (metric, *_TREND)),
    ]
    return {TREND_TAG: _saved(TREND, _state("tags.outcome != ''", "attributes.start_time", False, columns))}


def save_view(client: MlflowClient, experiment_id: str, parent_run_id: str, metric: str) -> None:
    """Show the variants of one pipeline run in the experiment's saved view.

    It is a convenience: whatever goes wrong is said, and nothing fails for it.

    Args:
        metric: as the variants' runs have it.
    """
    wanted = f"tags.`mlflow.parentRunId` = '{parent_run_id}' AND tags.`{runs.SUPERSEDED}` = 'false'"
    columns = _columns(("verdict", "verdict.selected"), (metric, *_VARIANTS))
    view = _saved(NAME, _state(wanted, "metrics.`bytes`", True, columns) | _charts())
    try:
        client.set_experiment_tag(experiment_id, TAG, view)
    except Exception as error:
        log.warning("the view %r is not saved in MLflow: %s", NAME, error)


def _saved(name: str, state: dict[str, object]) -> str:
    now = int(1000 * time.time())
    packed = base64.b64encode(zlib.compress(json.dumps(state).encode())).decode()
    return json.dumps({"name": name, "createdAt": now, "updatedAt": now, "state": f"deflate;{packed}"})


def _columns(tags: tuple[str, ...], metrics: tuple[str, ...]) -> list[str]:
    return [*(f"tags.`{name}`" for name in tags), *(f"metrics.`{name}`" for name in metrics)]


def _state(wanted: str, order: str, ascending: bool, columns: list[str]) -> dict[str, object]:
    """The state of MLflow's page of runs: which runs, in which order, which columns."""
    return {
        "searchFilter": wanted,
        "orderByKey": order,
        "orderByAsc": ascending,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "runsHiddenMode": "SHOWALL",
        "selectedColumns": columns,
        "isAccordionReordered": False,
        "autoRefreshEnabled": False,
        "groupBy": None,
    }


def _charts() -> dict[str, object]:
    """The charts of the variants, and the part of the page that they are in."""
    section = {"uuid": _SECTION, "name": NAME, "display": True, "isReordered": False, "deleted": False}
    section |= {"isGenerated": False, "columns": 2, "cardHeight": 380}
    charts: list[dict[str, object]] = [
        _scatter("bytes", "drop"),
        _scatter("latency_ms", "drop"),
        _scatter("bytes", "drop_high"),
        {
            "type": "PARALLEL",
            "selectedParams": ["variant"],
            "selectedMetrics": ["drop", "drop_high", "agreement", "bytes", "latency_ms"],
        },
        _bar("bytes"),
        _bar("latency_ms"),
    ]
    common = {"metricSectionId": _SECTION, "deleted": False, "isGenerated": False, "runsCountToCompare": 20}
    placed = [chart | common | {"uuid": f"{_SECTION}-{number}"} for number, chart in enumerate(charts)]
    return {"compareRunCharts": placed, "compareRunSections": [section]}


def _scatter(across: str, up: str) -> dict[str, object]:
    return {"type": "SCATTER", "xaxis": _axis(across), "yaxis": _axis(up)}


def _bar(metric: str) -> dict[str, object]:
    return {"type": "BAR", "metricKey": metric, "dataAccessKey": metric}


def _axis(metric: str) -> dict[str, object]:
    return {"type": "METRIC", "key": metric, "dataAccessKey": metric}
