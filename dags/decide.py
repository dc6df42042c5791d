"""One Airflow DAG for each thing that a person may decide about a version, with a form to fill in."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, Param

from litegate.records import Action
from litegate_airflow.events.notify import DecisionNotifier
from litegate_airflow.operators.decide import DecideOperator
from litegate_airflow.runtime.spec_files import read_spec_files

FOLDER = Path(__file__).parent / "model_specs"
SPECS = read_spec_files(FOLDER).values()
FORM = {
    "model": Param(
        type="string",
        minLength=1,
        maxLength=250,
        title="Model",
        description_md="The registered model's name in MLflow.",
        examples=sorted({found.spec.registry.name for found in SPECS if found.spec}),
    ),
    "alias": Param(
        "champion",
        type="string",
        pattern="^[A-Za-z0-9_-]+$",
        title="Alias",
        description_md="The alias that consumers load (the spec's `registry.alias`).",
    ),
    "why": Param(
        type="string",
        minLength=1,
        maxLength=1000,
        title="Why",
        description_md="The reason, for the ledger; whoever sees a run blocked by this reads it.",
    ),
}
VERSION = Param(
    type="integer", minimum=1, title="Version", description_md="The version's number in the registered model."
)


def optional(title: str, description: str) -> Param:
    """A version that need not be named."""
    return Param(None, type=["null", "integer"], minimum=1, title=title, description_md=description)


def decision(name: str, action: Action, description: str, **fields: Param) -> None:
    """The DAG `litegate__<name>`, whose form has `fields` beside those that all have."""
    params: dict[str, Any] = {"model": FORM["model"], **fields, "alias": FORM["alias"], "why": FORM["why"]}
    with DAG(
        f"litegate__{name}",
        description=description,
        doc_md=f"{description}\n\nTrigger it and fill in the form. The ledger of the model in MLflow names this run "
        "and you. Nothing is written where it cannot be done; the task's log says why.",
        schedule=None,
        catchup=False,
        params=params,
        dagrun_timeout=timedelta(hours=1),
        default_args={"retries": 2, "retry_delay": timedelta(seconds=10)},
        tags=["litegate", "decision"],
    ):
        DecideOperator(task_id=name, action=action, on_success_callback=DecisionNotifier(FOLDER))


decision(
    "rollback",
    "rolled_back",
    "Take a champion back: the version before it, or the one that you name, is champion at once.",
    version=optional(
        "Roll back",
        "The champion that you mean; nothing: whichever it is. It must be named where the last change was a "
        "rollback already, so that two people do not roll back twice.",
    ),
    to=optional("Back to", "The version that is to be champion; nothing: the one before."),
)
decision(
    "reinstate",
    "reinstated",
    "Let a version that was rolled back or rejected be champion again, with its old priority.",
    version=VERSION,
)
decision(
    "freeze",
    "frozen",
    "Make an accepted version champion, and keep it so whatever else is promoted, until it is unfrozen.",
    version=VERSION,
)
decision("unfreeze", "unfrozen", "End the freeze: the version that was accepted for the latest moment is champion.")
