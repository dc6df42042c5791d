"""The DAG with the form in which a person decides about a version."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from airflow.sdk import DAG, Param

from litegate_airflow.dags.owner import Owner
from litegate_airflow.events.notify import DecisionNotifier
from litegate_airflow.operators.decide import DECISIONS, DecideOperator
from litegate_airflow.runtime.spec_files import read_spec_files, wanted

__all__ = ["decision_dag", "decision_dags"]

_ID = "set_champion"
_DOC = """
| decision | what it does |
|---|---|
| `rollback` | takes the champion back: the version before it, or the one under *Back to*, is champion at once |
| `reinstate` | lets a version that was rolled back or rejected be champion again, with its old priority |
| `freeze` | makes an accepted version champion, and keeps it so whatever else is promoted, until it is unfrozen |
| `unfreeze` | ends the freeze: the version that was accepted for the latest moment is champion |

Trigger it and fill in the form. The promotion log of the model in MLflow names this run and you. Nothing is written
where it cannot be done; the task's log says why.
"""


def decision_dag(folder: str | Path, owner: Owner | None = None) -> DAG | None:
    """The DAG `set_champion`; None where a worker has loaded the file for another one.

    Args:
        folder: with the spec files, whose models the form offers and whose `notify` is told; those of
            `LITEGATE_SPEC_FOLDERS` are read too.
        owner: default arguments and connections.
    """
    if not wanted(_ID):
        return None
    folder = Path(folder)
    models = sorted({found.spec.registry.name for found in read_spec_files(folder).values() if found.spec})
    with DAG(
        _ID,
        description="Roll back, reinstate, freeze or unfreeze a version of a model.",
        doc_md=_DOC,
        schedule=None,
        catchup=False,
        params=_form(models),
        dagrun_timeout=timedelta(hours=1),
        default_args=(owner or Owner()).defaults(retries=2),
        tags=["litegate", "administration"],
    ) as made:
        DecideOperator(task_id="decide", on_success_callback=DecisionNotifier(folder))
    return made


def decision_dags(folder: str | Path, owner: Owner | None = None) -> list[DAG]:
    """The earlier name of `decision_dag`, from when each decision had a DAG of its own."""
    made = decision_dag(folder, owner)
    return [] if made is None else [made]


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
        "decision": Param(
            type="string",
            enum=list(DECISIONS),
            title="Decision",
            description_md="What is to be done; the DAG's documentation says what each of them does.",
        ),
        "version": _version(
            "Version",
            "To reinstate or to freeze: which one. To roll back: the champion that you mean, or nothing for whichever "
            "it is; it must be named where the last change was a rollback already, so that two people do not roll "
            "back twice.",
        ),
        "to": _version("Back to", "To roll back: the version that is to be champion; nothing: the one before."),
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
            description_md="The reason, for the promotion log; whoever sees a run blocked by this reads it.",
        ),
    }


def _version(title: str, description: str) -> Param:
    return Param(None, type=["null", "integer"], minimum=1, title=title, description_md=description)
