"""Step `conclude`: do what the spec asks for after a requalification, and record that it was done."""

from __future__ import annotations

from mlflow import MlflowClient

from litegate.errors import BadInput
from litegate.records import ConcludeRequest, Conclusion, Decision
from litegate.requalification import action_of, reason_of
from litegate.tracking import aliases, runs
from litegate.tracking.deciding import decide
from litegate.tracking.trend import ACTION, Trend
from litegate.work.step_work import Work

__all__ = ["run"]


def run(request: ConcludeRequest, work: Work) -> Conclusion:
    """Roll back, or say that somebody must look; a second time nothing more happens.

    A roll-back that is refused, because nothing can take over or the champion is pinned, becomes an alert.

    Raises:
        StoreError: what would take over is not what was judged, or the aliases do not hold.
    """
    client, found = runs.connect(), request.requalification
    conclusion = _conclude(client, request, work)
    client.set_tag(found.mlflow_run_id, ACTION, _said(conclusion))
    Trend(client, found.experiment_id, request.channel).describe()
    work.say("%s: %s: %s", request.channel, _said(conclusion), conclusion.why)
    return conclusion


def _conclude(client: MlflowClient, request: ConcludeRequest, work: Work) -> Conclusion:
    why = reason_of(request)
    match action_of(request):
        case "rollback":
            return _roll_back(client, request, why, work)
        case "alert":
            return _still(client, request, "alerted", why)
        case "record":
            return _still(client, request, "recorded", why)
    return _still(client, request, "none", why)


def _roll_back(client: MlflowClient, request: ConcludeRequest, why: str, work: Work) -> Conclusion:
    found = request.requalification
    decision = Decision(
        channel=request.channel,
        action="rolled_back",
        key=f"{request.run_key} version {found.version}",
        actor=request.actor[:1000],
        why=why[:1000],
        version=found.version,
        expected=found.version,
        verdict=found.sentence[:1000],
        run_key=request.run_key,
        mlflow_run_id=found.mlflow_run_id,
    )
    try:
        decided = decide(client, decision, work.folder)
    except BadInput as refused:
        return _still(client, request, "alerted", f"{why}; it was not rolled back: {refused}")
    return Conclusion(action="rolled_back", champion=decided.entry.after, why=why)


def _still(client: MlflowClient, request: ConcludeRequest, action: str, why: str) -> Conclusion:
    """Whoever is champion stays it."""
    now = aliases.version_behind(client, request.channel.registry, request.channel.alias)
    return Conclusion.model_validate({"action": action, "champion": now, "why": why})


def _said(conclusion: Conclusion) -> str:
    after = f", version {conclusion.champion} is champion" if conclusion.action == "rolled_back" else ""
    return f"{conclusion.action.replace('_', ' ')}{after}"
