"""`litegate history` and `litegate reconcile`: a registered-model alias and its ledger as people read them."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from typing import Any

from litegate.cli.actor import actor
from litegate.cli.deciding import channel_of, known
from litegate.cli.output import answer
from litegate.cli.renamed import with_old_fields
from litegate.cli.screen import Column, print_columns, say, screen
from litegate.cli.tracking import tracking
from litegate.records import ChannelState, LedgerEntry, LedgerRequest
from litegate.stack import Home

__all__ = ["reconcile", "show"]

_RENAMED = {"pin": "frozen", "waiting": "pending", "barred": "revoked"}


def show(home: Home, options: Namespace) -> int:
    """Print the champion, what is pending, frozen or revoked, and the whole ledger; nothing is changed."""
    with tracking(home) as mlflow:
        state = known(mlflow.run("ledger", LedgerRequest(channel=channel_of(options), reconcile=False)), mlflow.server)
    answer(_as_json(state, mlflow.server), options.json, lambda: _print(state, mlflow.server))
    return 0


def _as_json(state: ChannelState, server: str) -> dict[str, Any]:
    return with_old_fields(state.to_json() | {"mlflow": server}, _RENAMED)


def _print(state: ChannelState, server: str) -> None:
    console = screen()
    remedy = f"`litegate reconcile {state.channel.registry}` sets it right"
    for line in (f"{state.channel} at {server}", *_summary(state), *_strays(state, remedy), ""):
        say(console, line)
    columns, why = _columns(state.entries)
    print_columns(console, columns, rest=why)


def reconcile(home: Home, options: Namespace) -> int:
    """Set the aliases where the ledger has them, and say which were elsewhere."""
    with tracking(home) as mlflow:
        request = LedgerRequest(channel=channel_of(options), actor=actor())
        state = known(mlflow.run("ledger", request), mlflow.server)
    text = "\n".join(_strays(state, "set right")) or f"{state.channel}: the aliases are as the promotion log has them"
    answer(_as_json(state, mlflow.server), options.json, lambda: print(text))
    return 0


def _summary(state: ChannelState) -> Iterator[str]:
    now = state.aliases
    for role, version in (*now, ("frozen", state.frozen)):
        yield f"  {role:<10} {'none' if version is None else f'version {version}'}"
    if state.pending:
        yield f"  {'pending':<10} {', '.join(f'version {version}' for version in state.pending)}"
    for revoked in state.revoked:
        said = revoked.entry.decision
        yield f"  {'revoked':<10} version {revoked.version}: {_action(revoked.entry)} by {said.actor} ({said.why})"


def _strays(state: ChannelState, remedy: str) -> Iterator[str]:
    """The aliases that somebody else moved."""
    names = (state.channel.alias, state.channel.previous, state.channel.candidate)
    for name, (_, found), (_, wanted) in zip(names, state.found or (), state.aliases, strict=False):
        if found != wanted:
            where = f"version {found}" if found else "no version"
            belongs = f"to version {wanted}" if wanted else "to none"
            yield f"the alias {name} points to {where}, and belongs {belongs}: {remedy}"


def _columns(entries: tuple[LedgerEntry, ...]) -> tuple[list[Column], Column]:
    """The entries as a table, and who said why, which may be long."""
    said = [entry.decision for entry in entries]
    columns = [
        Column("#", [str(entry.number) for entry in entries], number=True),
        Column("when (UTC)", [entry.time[:19].replace("T", " ") for entry in entries]),
        Column("what", [_action(entry) for entry in entries]),
        Column("version", ["" if each.version is None else str(each.version) for each in said], number=True),
        Column("champion", [_champion(entry) for entry in entries]),
    ]
    return columns, Column("who: why", [f"{each.actor}: {each.why}" for each in said])


def _champion(entry: LedgerEntry) -> str:
    after = "none" if entry.after is None else str(entry.after)
    return after if entry.before == entry.after else f"{entry.before or 'none'} -> {after}"


def _action(entry: LedgerEntry) -> str:
    return entry.decision.effect.replace("_", " ")
