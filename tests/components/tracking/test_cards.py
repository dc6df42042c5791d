"""What the registry's pages say."""

from __future__ import annotations

import uuid

import pytest
from mlflow import MlflowClient

from litegate.gate.outcome import variant_outcome
from litegate.records import VariantRow
from litegate.report import table_rows
from litegate.tracking import cards, notes

pytestmark = pytest.mark.usefixtures("mlflow_url")


@pytest.fixture
def parent():
    experiment = MlflowClient().create_experiment(f"cards-{uuid.uuid4()}")
    return MlflowClient().create_run(experiment)


def rows_of(request) -> list[VariantRow]:
    candidates = {item.artifact.variant: item for item in (request.baseline, *request.candidates)}
    return [
        table_rows.variant_row(candidates.get(verdict.variant), verdict, variant_outcome(verdict), None, "run", None)
        for verdict in request.verdicts
    ]


def test_a_card_has_the_verdict_the_table_the_evidence_and_the_code_to_use_it(toy, parent):
    request = toy.request()
    rows = rows_of(request)
    card = cards.version_card(request, rows[2], rows, parent, 7)
    paragraphs = card.split("\n\n")
    assert paragraphs[0] == "**int8 passed, in one sentence**"
    assert f"[Pipeline run](#/experiments/{parent.info.experiment_id}/runs/{parent.info.run_id}?" in paragraphs[1]
    assert "[Airflow](http://127.0.0.1:8080/" in paragraphs[1]
    assert paragraphs[2].startswith("| Variant ")
    assert "Target cpu; policy: max_drop 0.01, confidence 0.95. Judged on `s3://data/toy/eval.npz`" in paragraphs[3]
    assert "model.predict({'image': image})  # image: float32 (batch, 8, 8, 1)" in paragraphs[4]
    name = request.resolved.spec.registry.name
    assert paragraphs[5] == f"The file alone, its digest checked: `litegate get {name} --version 7`."


def test_a_card_that_is_too_long_keeps_verdict_table_and_code_and_says_what_is_cut(toy, parent):
    request = toy.request()
    rows = [row.model_copy(update={"sentence": "word " * 100}) for row in rows_of(request)] * 4
    card = cards.version_card(request, rows[2], rows, parent, 7)
    assert len(card) <= notes.NOTE_LIMIT
    assert card.count("\n| ") == 16 + 2, "all rows, and two lines of head"
    assert card.count("```") == 2
    assert card.endswith("for MLflow keeps no more: the pipeline run's artifact result.json has all of it.*")
