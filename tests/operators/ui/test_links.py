"""Links to MLflow: where they lead, and that they are none while there is nothing."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest

from litegate.pipeline.tasks import TASKS, task_of
from litegate.records import BaselineSummary, Champion, RunResult, VariantRow
from litegate_airflow.get_provider_info import get_provider_info
from litegate_airflow.operators.gate import GateOperator
from litegate_airflow.operators.promote import PromoteOperator
from litegate_airflow.operators.quantize import QuantizeOperator
from litegate_airflow.runtime.wiring import Wiring
from litegate_airflow.ui import links
from litegate_airflow.ui.links import ArtifactLink, ReportLink, RunLink, VersionLink
from tests.operators.wiring import NAMED

LINKS = (RunLink(), ReportLink(), ArtifactLink(), VersionLink())
MODE = "?workflowType=machine_learning"
KEY: Any = SimpleNamespace(dag_id="quantize__m", run_id="r", task_id="t", map_index=0)
NUMBERS = dict.fromkeys(("bytes", "value", "drop", "drop_low", "drop_high", "latency_ms", "digest", "uri"))
INT8 = VariantRow(
    variant="int8", samples=1, verdict="passed", reasons=(), mlflow_run_id="child", mlflow_model_id="m-1", **NUMBERS
)
CRASHED = INT8.model_copy(update={"variant": "uint8", "mlflow_run_id": "other", "mlflow_model_id": None})


def result(selected: Champion | None = None) -> RunResult:
    return RunResult(
        model="m",
        outcome="selected" if selected else "rejected",
        selected=selected,
        baseline=BaselineSummary(bytes=1, metric="top1", value=0.5, samples=1),
        variants=(INT8, CRASHED),
        experiment_id="7",
        mlflow_run_id="parent",
        report="https://mlflow.example/report",
    )


def found(operator: Any) -> dict[str, str]:
    """Each link, as Airflow asks for it when the operator's task ends."""
    return {link.name: link.get_link(operator, ti_key=KEY) for link in LINKS}


@pytest.fixture(autouse=True)
def mlflow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITEGATE_MLFLOW_URL", "https://mlflow.example/")


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = result(Champion(variant="int8", version=3, digest="0" * 64))
    monkeypatch.setattr(links, "recorded", lambda *_: chosen)
    monkeypatch.setattr(links, "registered_model", lambda *_: "my model")


def test_a_variant_links_to_its_own_run_and_file(registered: None) -> None:
    assert found(QuantizeOperator(upstream=NAMED, task_id="quantize", variant="int8")) == {
        "MLflow run": f"https://mlflow.example/#/experiments/7/runs/child{MODE}",
        "Report": f"https://mlflow.example/#/experiments/7/runs/parent/artifacts/report.html{MODE}",
        "Artifact": f"https://mlflow.example/#/experiments/7/models/m-1/artifacts{MODE}",
        "Model version": f"https://mlflow.example/#/models/my%20model/versions/3{MODE}",
    }


def test_a_variant_without_a_file_links_to_none(registered: None) -> None:
    pages = found(QuantizeOperator(upstream=NAMED, task_id="quantize", variant="uint8"))
    assert pages["Artifact"] == ""
    assert "/runs/other?" in pages["MLflow run"]


def test_what_was_not_recorded_has_no_page(registered: None) -> None:
    pages = found(QuantizeOperator(upstream=NAMED, task_id="quantize", variant="float16"))
    assert (pages["MLflow run"], pages["Artifact"]) == ("", "")


def test_a_task_for_all_variants_links_to_their_parent(registered: None) -> None:
    pages = found(GateOperator(upstream=NAMED, task_id="gate"))
    assert pages["MLflow run"] == f"https://mlflow.example/#/experiments/7/runs/parent{MODE}"
    assert pages["Artifact"] == ""


def test_there_is_no_version_where_nothing_was_selected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "recorded", lambda *_: result())
    monkeypatch.setattr(links, "registered_model", lambda *_: "m")
    assert found(PromoteOperator(upstream=NAMED, task_id="promote"))["Model version"] == ""


def test_there_are_no_links_before_the_run_is_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "recorded", lambda *_: None)
    monkeypatch.setattr(links, "registered_model", lambda *_: None)
    for operator in (
        QuantizeOperator(upstream=NAMED, task_id="q", variant="int8"),
        PromoteOperator(upstream=NAMED, task_id="p"),
    ):
        assert set(found(operator).values()) == {""}


@pytest.mark.parametrize(
    ("does", "tries", "known", "has"),
    [("gate", 1, True, False), ("gate", 2, True, True), ("gate", 2, False, False), ("promote", 1, False, True)],
)
def test_a_task_before_the_registration_has_links_only_where_it_is_run_again_after_it(
    monkeypatch: pytest.MonkeyPatch, does: str, tries: int, known: bool, has: bool
) -> None:
    monkeypatch.setattr(links, "recorded", lambda *_: result() if known else None)
    before = Wiring({task: (task.id,) for task in TASKS[: TASKS.index(task_of("register"))]})
    operator = (
        GateOperator(upstream=before, task_id="gate")
        if does == "gate"
        else PromoteOperator(upstream=NAMED, task_id="promote")
    )
    ti: Any = SimpleNamespace(dag_id="d", run_id="r", try_number=tries)
    monkeypatch.setattr(operator, "get_flat_relatives", lambda: [PromoteOperator(upstream=NAMED, task_id="promote")])
    assert links.has_links(operator, ti) == has


def test_without_an_address_for_people_it_is_that_for_programs_but_no_password(
    registered: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LITEGATE_MLFLOW_URL")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://robot:secret@inner.example:5000/mlflow")
    assert found(GateOperator(upstream=NAMED, task_id="gate"))["MLflow run"].startswith(
        "https://inner.example:5000/mlflow/#/"
    )


def test_a_run_is_not_failed_for_want_of_links(caplog: pytest.LogCaptureFixture) -> None:
    broken: Any = SimpleNamespace(dag_id="d", run_id="r", task=None, xcom_pull=lambda **_: ["int8"])
    with caplog.at_level(logging.WARNING, "litegate"):
        links.link_tasks(broken, result())
    assert "not all linked to MLflow: AttributeError" in caplog.text


def test_the_provider_declares_every_link() -> None:
    assert set(get_provider_info()["extra-links"]) == {f"{links.__name__}.{type(link).__name__}" for link in LINKS}
