"""One DAG for each thing that a person may decide about a version, with a form to fill in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, Param

from litegate.records import Action
from litegate_airflow.dags.owner import Owner
from litegate_airflow.events.notify import DecisionNotifier
from litegate_airflow.operators.decide import DecideOperator
from litegate_airflow.runtime.spec_files import read_spec_files

__all__ = ["decision_dags"]

_VERSION = Param(
    type="integer", minimum=1, title="Version", description_md="The version's number in the registered model."
)


def _optional(title: str, description: str) -> Param:
    """A version that need not be named."""
    return Param(None, type=["null", "integer"], minimum=1, title=title, description_md=description)


@dataclass(frozen=True)
class _Decision:
    """What a person may decide, and what the form asks beside the model and the reason."""

    name: str
    action: Action
    description: str
    fields: dict[str, Param]


_DECISIONS = (
    _Decision(
        "rollback",
        "rolled_back",
        "Take a champion back: the version before it, or the one that you name, is champion at once.",
        {
            "version": _optional(
                "Roll back",
                "The champion that you mean; nothing: whichever it is. It must be named where the last change was a "
                "rollback already, so that two people do not roll back twice.",
            ),
            "to": _optional("Back to", "The version that is to be champion; nothing: the one before."),
        },
    ),
    _Decision(
        "reinstate",
        "reinstated",
        "Let a version that was rolled back or rejected be champion again, with its old priority.",
        {"version": _VERSION},
    ),
    _Decision(
        "freeze",
        "frozen",
        "Make an accepted version champion, and keep it so whatever else is promoted, until it is unfrozen.",
        {"version": _VERSION},
    ),
    _Decision(
        "unfreeze",
        "unfrozen",
        "End the freeze: the version that was accepted for the latest moment is champion.",
        {},
    ),
)


def decision_dags(folder: str | Path, owner: Owner | None = None) -> list[DAG]:
    """The DAGs `litegate__rollback`, `litegate__reinstate`, `litegate__freeze` and `litegate__unfreeze`.

    Args:
        folder: with the spec files, whose models the form offers and whose `notify` is told; those of
            `LITEGATE_SPEC_FOLDERS` are read too.
        owner: default arguments and connections.
    """
    folder = Path(folder)
    models = sorted({found.spec.registry.name for found in read_spec_files(folder).values() if found.spec})
    return [_dag(decision, models, folder, owner or Owner()) for decision in _DECISIONS]


def _dag(decision: _Decision, models: list[str], folder: Path, owner: Owner) -> DAG:
    form = _form(models)
    params: dict[str, Any] = {"model": form["model"], **decision.fields, "alias": form["alias"], "why": form["why"]}
    with DAG(
        f"litegate__{decision.name}",
        description=decision.description,
        doc_md=f"{decision.description}\n\nTrigger it and fill in the form. The ledger of the model in MLflow names "
        "this run and you. Nothing is written where it cannot be done; the task's log says why.",
        schedule=None,
        catchup=False,
        params=params,
        dagrun_timeout=timedelta(hours=1),
        default_args=owner.defaults(retries=2),
        tags=["litegate", "decision"],
    ) as made:
        DecideOperator(task_id=decision.name, action=decision.action, on_success_callback=DecisionNotifier(folder))
    return made


def _form(models: list[str]) -> dict[str, Param]:
    return {
        "model": Param(
            type="string",
            minLength=1,
            maxLength=250,
            title="Model",
            description_md="The registered model's name in MLflow.",
            examples=models,
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
