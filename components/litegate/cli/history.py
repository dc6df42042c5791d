"""`litegate history` and `litegate reconcile`: a registered-model alias and its ledger as people read them."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from litegate.cli.deciding import actor, channel_of, known
from litegate.cli.output import answer
from litegate.cli.renamed import with_old_fields
from litegate.cli.tracking import tracking
from litegate.records import ChannelState, LedgerEntry, LedgerRequest
from litegate.stack import Home

__all__ = ["reconcile", "show"]

_PLAIN_WIDTH = 160
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
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_PLAIN_WIDTH)
    console.print(Text(f"{state.channel} at {server}"), soft_wrap=True)
    for line in (*_summary(state), *_strays(state, f"`litegate reconcile {state.channel.registry}` sets it right")):
        console.print(Text(line), soft_wrap=True)
    console.print(_table(state.entries))


def reconcile(home: Home, options: Namespace) -> int:
    """Set the aliases where the ledger has them, and say which were elsewhere."""
    with tracking(home) as mlflow:
        request = LedgerRequest(channel=channel_of(options), actor=actor())
        state = known(mlflow.run("ledger", request), mlflow.server)
    text = "\n".join(_strays(state, "set right")) or f"{state.channel}: the aliases are where the ledger has them"
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


def _table(entries: tuple[LedgerEntry, ...]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("", "when (UTC)", "what", "version", "champion"):
        table.add_column(name, no_wrap=True, justify="right" if name in ("", "version") else "left")
    for name in ("who", "why"):
        table.add_column(name, overflow="fold")
    for entry in entries:
        table.add_row(*map(Text, _cells(entry)))
    return table


def _cells(entry: LedgerEntry) -> tuple[str, ...]:
    said = entry.decision
    version = "" if said.version is None else str(said.version)
    after = "none" if entry.after is None else str(entry.after)
    moved = after if entry.before == entry.after else f"{entry.before or 'none'} -> {after}"
    when = entry.time[:19].replace("T", " ")
    return str(entry.number), when, _action(entry), version, moved, said.actor, said.why


def _action(entry: LedgerEntry) -> str:
    return entry.decision.effect.replace("_", " ")
