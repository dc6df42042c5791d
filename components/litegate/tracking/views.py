"""Links into MLflow's pages, and the saved view with the trade-off charts of the latest pipeline run.

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

__all__ = ["link", "save_view", "view_link"]

NAME = "Quantization trade-offs"
KEY = digest_json(NAME)[:32]
TAG = f"mlflow.sharedViewState.{KEY}"

_SECTION = "litegate"
_COLUMNS = ("size_ratio", "bytes", "latency_ms", "samples")


def link(path: str, **query: str) -> str:
    """A link that holds wherever the server is reached, and opens in the mode that shows runs and models."""
    return f"#/{path}?{urlencode({'workflowType': 'machine_learning'} | query)}"


def view_link(experiment_id: str) -> str:
    """The saved view of an experiment, with its charts open."""
    return link(f"experiments/{experiment_id}/runs", viewStateShareKey=KEY, compareRunsMode="CHART")


def save_view(client: MlflowClient, experiment_id: str, parent_run_id: str, metric: str) -> None:
    """Show the variants of one pipeline run in the experiment's saved view.

    It is a convenience: whatever goes wrong is said, and nothing fails for it.

    Args:
        metric: as the variants' runs have it.
    """
    now = int(1000 * time.time())
    packed = base64.b64encode(zlib.compress(json.dumps(_state(parent_run_id, metric)).encode())).decode()
    view = {"name": NAME, "createdAt": now, "updatedAt": now, "state": f"deflate;{packed}"}
    try:
        client.set_experiment_tag(experiment_id, TAG, json.dumps(view))
    except Exception as error:
        log.warning("the view %r is not saved in MLflow: %s", NAME, error)


def _state(parent_run_id: str, metric: str) -> dict[str, object]:
    """The state of MLflow's page of runs: which runs, which columns, which charts."""
    wanted = f"tags.`mlflow.parentRunId` = '{parent_run_id}' AND tags.`{runs.SUPERSEDED}` = 'false'"
    return {
        "searchFilter": wanted,
        "orderByKey": "metrics.`bytes`",
        "orderByAsc": True,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "runsHiddenMode": "SHOWALL",
        "selectedColumns": [
            "attributes.`Models`",
            *(f"tags.`{name}`" for name in ("verdict", "verdict.selected")),
            *(f"metrics.`{name}`" for name in (metric, "drop", "drop_high", *_COLUMNS)),
        ],
        "compareRunCharts": _charts(),
        "compareRunSections": [
            {"uuid": _SECTION, "name": NAME, "display": True, "isReordered": False, "deleted": False}
            | {"isGenerated": False, "columns": 2, "cardHeight": 380}
        ],
        "isAccordionReordered": False,
        "autoRefreshEnabled": False,
        "groupBy": None,
    }


def _charts() -> list[dict[str, object]]:
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
    return [chart | common | {"uuid": f"{_SECTION}-{number}"} for number, chart in enumerate(charts)]


def _scatter(across: str, up: str) -> dict[str, object]:
    return {"type": "SCATTER", "xaxis": _axis(across), "yaxis": _axis(up)}


def _bar(metric: str) -> dict[str, object]:
    return {"type": "BAR", "metricKey": metric, "dataAccessKey": metric}


def _axis(metric: str) -> dict[str, object]:
    return {"type": "METRIC", "key": metric, "dataAccessKey": metric}
