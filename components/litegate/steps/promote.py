"""Step `promote`: what a run selected becomes champion, waits for approval, or is blocked; the ledger says which."""

from __future__ import annotations

from mlflow import MlflowClient

from litegate.errors import StoreError
from litegate.promotion import standing_of, why_blocked
from litegate.records import Champion, ChannelState, Decision, PromoteRequest, Promotion, PromotionState
from litegate.tracking import registry, run_data, runs
from litegate.tracking.deciding import decide, state_of
from litegate.tracking.ledger import Ledger
from litegate.work.step_work import Work

__all__ = ["run"]


def run(request: PromoteRequest, work: Work) -> Promotion:
    """Promote; a second time, or where it is champion already, nothing moves.

    Raises:
        BadInput: another version has become champion since the verdict compared with it.
        StoreError: the version did not pass, is another file, or the aliases do not hold.
    """
    client, channel = runs.connect(), request.channel
    _check_selected(client, request)
    decided = decide(client, _decision(client, request), work.folder)
    now = state_of(client, channel)
    state, why = _state(now, request.selected.version)
    work.say("%s version %s: %s %s", channel, request.selected.version, state, why)
    run_data.tag(client, request.mlflow_run_id, {"promotion": state, "promotion.why": why})
    return Promotion(
        selected=request.selected,
        champion=_champion(client, channel.registry, now.aliases.champion),
        previous=decided.entry.before,
        moved=decided.moved,
        state=state,
        why=why,
    )


def _check_selected(client: MlflowClient, request: PromoteRequest) -> None:
    """The version is the very file that the run's verdict is about."""
    selected, name = request.selected, request.channel.registry
    version, where = client.get_model_version(name, str(selected.version)), f"{name} version {selected.version}"
    for key, value in {registry.STATE: registry.PASSED, registry.DIGEST: selected.digest}.items():
        if version.tags.get(key) != value:
            raise StoreError(
                f"{where}: tag {key}: expected {value}, got {version.tags.get(key)}: it may not be promoted"
            )
    judged = sorted(registry.evidence_of(version))
    if selected.variant not in judged:
        found = ", ".join(judged) or "no variant"
        raise StoreError(f"{where}: expected a verdict on {selected.variant}, got {found}: it may not be promoted")


def _decision(client: MlflowClient, request: PromoteRequest) -> Decision:
    version = request.selected.version
    standing = standing_of(Ledger(client, request.channel).entries())
    asks = request.approval == "human" and version not in standing.promotable()
    return Decision(
        channel=request.channel,
        action="nominated" if asks else "accepted",
        key=f"{request.run_key} version {version}",
        actor=request.actor,
        why="it passed the gate",
        version=version,
        digest=request.selected.digest,
        variant=request.selected.variant,
        begun=request.begun,
        order=request.order,
        expected=request.compared_with,
        verdict=request.verdict[:1000],
        run_key=request.run_key,
        mlflow_run_id=request.mlflow_run_id,
    )


def _state(now: ChannelState, version: int) -> tuple[PromotionState, str]:
    if now.aliases.champion == version:
        return "promoted", ""
    if version in now.pending:
        return "pending_approval", "a person must accept it"
    return "blocked", why_blocked(standing_of(now.entries), version, now.aliases)


def _champion(client: MlflowClient, name: str, version: int | None) -> Champion | None:
    if version is None:
        return None
    tags = client.get_model_version(name, str(version)).tags
    return Champion(variant=tags[registry.VARIANT], version=version, digest=tags[registry.DIGEST])
