"""The saved view, read back as MLflow's user interface reads it, and links."""

from __future__ import annotations

import base64
import json
import logging
import zlib

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from litegate.steps import register
from litegate.tracking import fields, views

pytestmark = pytest.mark.usefixtures("mlflow_url")


def read_back(experiment_id: str, tag: str = views.TAG, name: str = views.NAME) -> dict:
    view = json.loads(MlflowClient().get_experiment(experiment_id).tags[tag])
    assert view["name"] == name
    scheme, _, packed = view["state"].partition(";")
    assert scheme == "deflate"
    return json.loads(zlib.decompress(base64.b64decode(packed)))


def test_the_view_shows_the_variants_of_the_latest_run_with_metrics_that_all_of_them_have(toy):
    register.run(toy.request(run_key="one"), toy.work)
    result = register.run(toy.request(run_key="two"), toy.work)
    state = read_back(result.experiment_id)
    found = MlflowClient().search_runs([result.experiment_id], state["searchFilter"])
    assert {run.info.run_id for run in found} == {row.mlflow_run_id for row in result.variants}
    charts = state["compareRunCharts"]
    assert [chart["type"] for chart in charts] == ["SCATTER", "SCATTER", "SCATTER", "PARALLEL", "BAR", "BAR"]
    assert {chart["metricSectionId"] for chart in charts} == {part["uuid"] for part in state["compareRunSections"]}
    for run in found:
        if run.info.status == "FINISHED":
            assert set(metrics_of(charts)) <= set(run.data.metrics)
    tags = [name.removeprefix("tags.`").rstrip("`") for name in state["selectedColumns"] if name.startswith("tags")]
    assert all(set(tags) <= set(run.data.tags) for run in found)


def test_the_view_of_all_pipeline_runs_shows_what_each_of_them_selected_and_no_variants(toy):
    results = [register.run(toy.request(run_key=key), toy.work) for key in ("one", "two")]
    state = read_back(results[0].experiment_id, views.TREND_TAG, views.TREND)
    found = MlflowClient().search_runs([results[0].experiment_id], state["searchFilter"])
    assert {run.info.run_id for run in found} == {result.mlflow_run_id for result in results}
    columns = [column.partition(".") for column in state["selectedColumns"]]
    for kind, has in (("tags", lambda run: run.data.tags), ("metrics", lambda run: run.data.metrics)):
        shown = {name.strip("`") for each, _, name in columns if each == kind} - {"latency_ms"}
        assert shown
        assert all(shown <= set(has(run)) for run in found)


def metrics_of(charts: list[dict]) -> list[str]:
    axes = [chart[axis]["key"] for chart in charts for axis in ("xaxis", "yaxis") if axis in chart]
    bars = [chart["metricKey"] for chart in charts if "metricKey" in chart]
    return axes + bars + [name for chart in charts for name in chart.get("selectedMetrics", ())]


def test_a_view_that_cannot_be_saved_fails_nothing_and_is_said(toy, monkeypatch, caplog):
    set_tag = MlflowClient.set_experiment_tag

    def refuses(client, experiment_id, key, value):
        if key == views.TAG:
            raise MlflowException("no such tag")
        set_tag(client, experiment_id, key, value)

    monkeypatch.setattr(MlflowClient, "set_experiment_tag", refuses)
    with caplog.at_level(logging.WARNING, "litegate"):
        result = register.run(toy.request(), toy.work)
    assert result.outcome == "selected"
    assert "the view 'Quantization trade-offs' is not saved in MLflow: no such tag" in caplog.text


def test_a_view_fits_the_tag_that_keeps_it(toy):
    result = register.run(toy.request(), toy.work)
    assert len(MlflowClient().get_experiment(result.experiment_id).tags[views.TAG]) < 5000
    assert fields.metric_name(result.baseline) in json.dumps(read_back(result.experiment_id))


def test_links_are_relative_and_open_in_the_mode_for_models():
    assert views.link("models/toy") == "#/models/toy?workflowType=machine_learning"
    links = views.view_link("7"), views.variants_link("7"), views.runs_link("7")
    start = "#/experiments/7/runs?workflowType=machine_learning&viewStateShareKey="
    assert [link.startswith(start) for link in links] == [True] * 3
    assert ["CHART" in link for link in links] == [True, False, False]
