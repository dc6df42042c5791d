"""Step `act`: do what the spec asks for after a requalification, and record that it was done."""

from __future__ import annotations

from mlflow import MlflowClient

from litegate.errors import BadInput
from litegate.records import Acted, ActRequest, Decision
from litegate.requalification import action_of, reason_of
from litegate.tracking import aliases, runs
from litegate.tracking.deciding import decide
from litegate.tracking.trend import ACTION, Trend
from litegate.work.step_work import Work

__all__ = ["run"]


def run(request: ActRequest, work: Work) -> Acted:
    """Roll back, or say that somebody must look; a second time nothing more happens.

    A roll-back that is refused, because nothing can take over or the champion is frozen, becomes an alert.

    Raises:
        StoreError: what would take over is not what was judged, or the aliases do not hold.
    """
    client, found = runs.connect(), request.requalification
    acted = _act(client, request, work)
    client.set_tag(found.mlflow_run_id, ACTION, _said(acted))
    Trend(client, found.experiment_id, request.channel).describe()
    work.say("%s: %s: %s", request.channel, _said(acted), acted.why)
    return acted


def _act(client: MlflowClient, request: ActRequest, work: Work) -> Acted:
    why = reason_of(request)
    match action_of(request):
        case "rollback":
            return _roll_back(client, request, why, work)
        case "alert":
            return _still(client, request, "alerted", why)
        case "record":
            return _still(client, request, "recorded", why)
    return _still(client, request, "none", why)


def _roll_back(client: MlflowClient, request: ActRequest, why: str, work: Work) -> Acted:
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
    return Acted(action="rolled_back", champion=decided.entry.after, why=why)


def _still(client: MlflowClient, request: ActRequest, action: str, why: str) -> Acted:
    """Whoever is champion stays it."""
    now = aliases.version_behind(client, request.channel.registry, request.channel.alias)
    return Acted.model_validate({"action": action, "champion": now, "why": why})


def _said(acted: Acted) -> str:
    after = f", version {acted.champion} is champion" if acted.action == "rolled_back" else ""
    return f"{acted.action.replace('_', ' ')}{after}"
