"""`litegate rollback`, `reinstate`, `freeze` and `unfreeze`: a person's decision about a registered-model alias."""

from __future__ import annotations

import sys
from argparse import Namespace
from uuid import uuid4

from litegate.cli.actor import actor
from litegate.cli.output import answer
from litegate.cli.tracking import tracking
from litegate.errors import BadInput
from litegate.promotion import refusal, standing_of, why_blocked
from litegate.records import Action, ChannelState, Decided, Decision, LedgerRequest, RegisteredAlias
from litegate.stack import Home

__all__ = ["channel_of", "decide", "known"]


def decide(home: Home, options: Namespace, action: Action) -> int:
    """Say what is going to be done, do it, and say what came of it."""
    with tracking(home) as mlflow:
        state = known(mlflow.run("ledger", LedgerRequest(channel=channel_of(options), reconcile=False)), mlflow.server)
        decision = _decision(options, action, state)
        if (problem := refusal(standing_of(state.entries), state.aliases, decision)) is not None:
            raise BadInput(*problem)
        print(f"{state.channel} at {mlflow.server}: {_plan(decision, state)}", file=sys.stderr)
        decided: Decided = mlflow.run("decide", decision)
    answer(decided.to_json() | {"mlflow": mlflow.server}, options.json, lambda: print(_came_of_it(state, decided)))
    return 0


def channel_of(options: Namespace) -> RegisteredAlias:
    """The registered-model alias that a command line names."""
    return RegisteredAlias(registry=options.model, alias=options.alias)


def known(state: ChannelState, server: str) -> ChannelState:
    """The state itself.

    Raises:
        BadInput: it has no ledger, so its name is probably mistyped.
    """
    if not state.entries:
        found = "a model without a promotion log"
        raise BadInput(f"{state.channel} at {server}", "a model that litegate has promoted", found)
    return state


def _decision(options: Namespace, action: Action, state: ChannelState) -> Decision:
    """The decision, for the champion of this moment where it is about whoever is champion."""
    return Decision(
        channel=state.channel,
        action=action,
        key=f"command {uuid4()}",
        actor=actor(),
        why=options.why,
        version=options.version,
        to=options.to if action == "rolled_back" else None,
        expected=(state.aliases.champion or 0) if action == "rolled_back" else None,
    )


def _plan(decision: Decision, state: ChannelState) -> str:
    now = state.aliases
    match decision.effect:
        case "rolled_back":
            version, then = decision.version or now.champion, decision.to or now.previous
            return f"rolling back {_named(version)}; then {_named(then)} is champion"
        case "frozen":
            return f"freezing {_named(decision.version)}; {_named(now.champion)} is champion now"
        case "unfrozen":
            return f"ending the freeze of {_named(state.frozen)}"
        case _:
            return f"reinstating {_named(decision.version)}; {_named(now.champion)} is champion now"


def _came_of_it(state: ChannelState, decided: Decided) -> str:
    entry, now = decided.entry, decided.aliases
    changed = f", before it was {_named(entry.before)}" if decided.moved else ", as before"
    said = f"{state.channel}: {_named(now.champion)} is champion{changed}"
    version = entry.decision.version
    if entry.decision.action == "reinstated" and version is not None and version != now.champion:
        said += f": {why_blocked(standing_of((*state.entries, entry)), version, now)}"
    return said


def _named(version: int | None) -> str:
    return "no version" if version is None else f"version {version}"
