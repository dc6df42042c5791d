"""Decide about a version: what a person asks for in the form with which a DAG is triggered."""

from __future__ import annotations

from typing import Any

from typing_extensions import override

from litegate.records import Action, Decision, RegisteredAlias
from litegate_airflow.operators.step import StepOperator
from litegate_airflow.runtime.dag_run import actor
from litegate_airflow.runtime.run_records import RunRecords

__all__ = ["DecideOperator"]


class DecideOperator(StepOperator):
    """Takes the run's parameters `model`, `alias`, `why` and, where its DAG has them, `version` and `to`.

    Returns a `Decided`. However often the run is retried or cleared, it decides once.
    """

    kind = ()
    step = "decide"

    def __init__(self, *, action: Action, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.action = action

    @override
    def request(self, records: RunRecords) -> Decision:
        ti = records.ti
        parameters = ti.get_template_context()["params"]
        return Decision(
            channel=RegisteredAlias(registry=parameters["model"], alias=parameters["alias"]),
            action=self.action,
            key=f"{ti.dag_id}/{ti.run_id}",
            actor=actor(ti),
            why=parameters["why"],
            version=parameters.get("version"),
            to=parameters.get("to"),
            run_key=f"{ti.dag_id}/{ti.run_id}",
        )
