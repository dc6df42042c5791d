"""An override run is recorded as completely as any run, says everywhere that it is one, and registers no version."""

from __future__ import annotations

import mlflow
import pytest
from mlflow import MlflowClient

from litegate.records import Change, Overrides
from litegate.steps.register import run

OVERRIDES = Overrides(changes=(Change(key="gate.max_drop", spec=0.01, run=0.5),))
CHANGED = "gate.max_drop 0.5 (spec: 0.01)"


@pytest.mark.parametrize(("overrides", "said"), [(OVERRIDES, CHANGED), (Overrides(changes=()), "by the spec as it is")])
def test_an_override_run_registers_nothing_and_each_of_its_runs_says_what_was_changed(mlflow_url, toy, overrides, said):
    request = toy.request()
    request = request.model_copy(update={"resolved": request.resolved.model_copy(update={"overrides": overrides})})
    result = run(request, toy.work)
    assert (result.outcome, result.selected) == ("override_run", None)
    assert MlflowClient().search_model_versions(f"name = '{toy.name}'") == []

    parent = mlflow.get_run(result.mlflow_run_id).data.tags
    assert (parent["outcome"], parent["selected"], parent["overrides"]) == ("override_run", "none", said)
    first, second, *_ = parent["mlflow.note.content"].splitlines()[::2]
    assert first == f"**Override run, of which nothing is promoted:** {said}"
    assert second == "**By these values**: the smallest of 2 that passed the gate."
    for row in result.variants:
        tags = mlflow.get_run(row.mlflow_run_id).data.tags
        assert tags["overrides"] == said
        assert tags["mlflow.note.content"].startswith(first)
    model = MlflowClient().get_logged_model(result.variants[2].mlflow_model_id)
    assert (model.tags["overrides"], model.params["variant"]) == (said, "int8")


def test_an_override_run_and_a_run_by_the_spec_share_no_logged_model(mlflow_url, toy):
    request, own = toy.request(run_key="by the spec"), toy.request(run_key="override")
    overridden = own.model_copy(update={"resolved": own.resolved.model_copy(update={"overrides": OVERRIDES})})
    results = [run(each, toy.work) for each in (overridden, request)]
    models = [row.mlflow_model_id for result in results for row in result.variants if row.mlflow_model_id]
    assert len(set(models)) == 6
