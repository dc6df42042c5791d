"""Decide about a version: what a person asks for in the form with which its DAG is triggered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from litegate.errors import BadInput
from litegate.presentation.run_notes import of_decision
from litegate.records import Action, Decided, Decision, RegisteredAlias
from litegate_airflow.operators.step import StepOperator
from litegate_airflow.runtime.dag_run import actor
from litegate_airflow.runtime.run_records import RunRecords

__all__ = ["DECISIONS", "DecideOperator"]

DECISIONS: Mapping[str, Action] = {
    "rollback": "rolled_back",
    "reinstate": "reinstated",
    "freeze": "frozen",
    "unfreeze": "unfrozen",
}
"""What a person may decide, by the names that the command line has for it."""


class DecideOperator(StepOperator):
    """Takes the run's parameters `model`, `decision`, `version`, `to`, `alias` and `why`.

    Returns a `Decided`. However often the run is retried or cleared, it decides once.
    """

    kind = ()
    step = "decide"

    @override
    def said(self, result: Decided, records: RunRecords) -> str:
        return of_decision(result)

    @override
    def request(self, records: RunRecords) -> Decision:
        ti = records.ti
        parameters = ti.get_template_context()["params"]
        _check_versions(parameters)
        return Decision(
            channel=RegisteredAlias(registry=parameters["model"], alias=parameters["alias"]),
            action=DECISIONS[parameters["decision"]],
            key=f"{ti.dag_id}/{ti.run_id}",
            actor=actor(ti),
            why=parameters["why"],
            version=parameters.get("version"),
            to=parameters.get("to"),
            run_key=f"{ti.dag_id}/{ti.run_id}",
        )


def _check_versions(parameters: Mapping[str, Any]) -> None:
    """The form has the same fields for every decision.

    Raises:
        BadInput: one is empty that this decision needs, or filled in although it would say nothing.
    """
    decision, version, to = (parameters.get(name) for name in ("decision", "version", "to"))
    if decision in ("reinstate", "freeze") and version is None:
        raise BadInput("version", f"the version to {decision}", "nothing")
    if decision == "unfreeze" and version is not None:
        raise BadInput("version", "nothing: unfreeze ends whatever freeze there is", str(version))
    if decision != "rollback" and to is not None:
        raise BadInput("to", f"nothing: {decision} has no use for it", str(to))
