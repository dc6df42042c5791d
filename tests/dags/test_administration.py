"""The form for decisions and the clean-up, and where they stand beside the models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import ParamValidationError

from tests.dags.specs import Load, write_spec


def test_without_the_example_and_any_spec_there_is_the_form_alone(
    load_dags: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert set(load_dags(kind="")) == {"quantize__digits", "retrain__digits", "prepare__digits", "set_champion"}
    monkeypatch.setattr("tests.dags.conftest.EXAMPLES", ())
    assert set(load_dags(kind="")) == {"set_champion"}


def test_the_models_come_before_the_administration(load_dags: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITEGATE_CLEAN_SCHEDULE", "0 4 * * 0")
    ordered = [dag for _, dag in sorted(load_dags(kind="").items())]  # as Airflow lists them
    administrative = ["administration" in dag.tags for dag in ordered]
    assert administrative == [False] * 3 + [True] * 2


def test_the_form_asks_for_what_a_decision_needs(load_dags: Load, tmp_path: Path) -> None:
    write_spec(tmp_path, name="mine")
    dag = load_dags(tmp_path, kind="set_champion")["set_champion"]
    assert list(dag.params) == ["model", "decision", "version", "to", "alias", "why"]
    schemas = {name: dag.params.get_param(name).schema for name in dag.params}
    assert all(schema["title"] and schema["description_md"] for schema in schemas.values())
    assert schemas["model"]["examples"] == ["digits", "mine"]
    assert schemas["decision"]["enum"] == ["rollback", "reinstate", "freeze", "unfreeze"]
    assert all(f"`{decision}`" in dag.doc_md for decision in schemas["decision"]["enum"])
    (task,) = dag.tasks
    assert task.pool == "default_pool", "nobody waits for a measurement in order to roll back"


FILLED = {"model": "m", "decision": "rollback", "why": "slow"}


@pytest.mark.parametrize(
    "form",
    [
        {"model": ""},
        {"why": ""},
        {"decision": "rolled_back"},
        {"to": 0},
        {"version": "3"},
        {"alias": "a.b"},
        *({name: ...} for name in FILLED),
    ],
    ids=str,
)
def test_a_form_that_is_not_filled_in_is_refused(load_dags: Load, form: dict[str, Any]) -> None:
    params = load_dags(kind="set_champion")["set_champion"].params

    def fill_in() -> None:
        params.update({name: value for name, value in (FILLED | form).items() if value is not ...})
        params.validate()

    with pytest.raises(ParamValidationError):
        fill_in()


def test_a_form_needs_only_the_model_the_decision_and_the_reason(load_dags: Load) -> None:
    params = load_dags(kind="set_champion")["set_champion"].params
    params.update(FILLED)
    assert params.validate() == FILLED | {"version": None, "to": None, "alias": "champion"}


def test_the_clean_up_has_a_dag_where_it_has_a_schedule_and_deletes_nothing_by_hand_unless_told(
    load_dags: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LITEGATE_CLEAN_SCHEDULE", raising=False)
    assert load_dags(kind="workspace_clean") == {}
    monkeypatch.setenv("LITEGATE_CLEAN_SCHEDULE", "0 4 * * 0")
    monkeypatch.setenv("LITEGATE_CLEAN_DAYS", "90")
    dag = load_dags(kind="workspace_clean")["workspace_clean"]
    assert (dag.params["days"], dag.params["dry_run"]) == (90, True)
    assert dag.params.get_param("days").schema["minimum"] == 2
    assert dag.timetable.expression == "0 4 * * 0"
