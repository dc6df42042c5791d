"""Step `decide`: what a person or a watching DAG decides about a version: roll back, freeze, accept, reject, ..."""

from __future__ import annotations

from mlflow import MlflowClient

from litegate.records import Decided, Decision
from litegate.tracking import run_data, runs
from litegate.tracking.deciding import decide
from litegate.work.step_work import Work

__all__ = ["run"]


def run(request: Decision, work: Work) -> Decided:
    """Write the decision to the alias's ledger and let its aliases follow.

    Raises:
        BadInput: it cannot be taken; nothing was written.
        StoreError: what would become champion is not what was judged, or the aliases do not hold.
    """
    client = runs.connect()
    decided = decide(client, request, work.folder)
    entry = decided.entry
    work.say("%s: %s version %s by %s", request.channel, request.action, request.version, request.actor)
    work.say("%s: champion %s, before %s", request.channel, entry.after, entry.before)
    if request.mlflow_run_id:
        _tell_run(client, decided)
    return decided


def _tell_run(client: MlflowClient, decided: Decided) -> None:
    """The run in MLflow says what became of its version in the end, where it said that its approval is pending."""
    said = decided.entry.decision
    promoted = decided.aliases.champion == said.version
    tags = {
        "promotion": "promoted" if promoted else "blocked",
        "promotion.why": f"{said.action.replace('_', ' ')} by {said.actor} ({said.why})",
    }
    run_data.tag(client, said.mlflow_run_id, tags)
