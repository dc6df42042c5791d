"""What the calibration lint found is recorded with the run."""

from __future__ import annotations

import json

import mlflow
import pytest

from litegate.records import DataFinding, Lint
from litegate.steps.register import run

FINDING = DataFinding(severity="warning", code="too_few", message="20 different samples; 100 to 500 are usual")


@pytest.mark.parametrize(("findings", "tag"), [((), "0"), ((FINDING,), "1: too_few")])
def test_findings_are_an_artifact_a_tag_and_a_line_of_the_note(mlflow_url, toy, findings, tag):
    lint = Lint(findings=findings, samples=20, compared=500, searched=600)
    result = run(toy.request(lint=lint), toy.work)
    kept = json.loads(mlflow.artifacts.load_text(f"runs:/{result.mlflow_run_id}/lint.json"))
    assert Lint.model_validate(kept) == lint
    tags = mlflow.get_run(result.mlflow_run_id).data.tags
    assert tags["lint.warnings"] == tag
    assert ("Calibration: too_few: 20 different samples" in tags["mlflow.note.content"]) == bool(findings)
