"""`litegate clean`."""

from __future__ import annotations

import os
from pathlib import Path

from rich.console import Console
from rich.table import Table

from litegate.cli.output import answer
from litegate.cli.progress import Progress, showing_log
from litegate.errors import BadInput, StackError
from litegate.execution.step_run import StepRun
from litegate.records import LEAST_DAYS, Cleaned, CleanRequest
from litegate.settings import settings
from litegate.stack import Home, running
from litegate.stack.environment import client_environment
from litegate.steps import STEPS

__all__ = ["clean"]

_FATES = {
    "recent": "used recently",
    "registered": "needed by a registered version",
    "ledger": "named in a ledger",
    "foreign": "not litegate's",
}


def clean(home: Home, days: int, apply: bool, target: Path | None) -> int:
    """Say what nothing needs any more, and delete it if `apply` says so; returns the exit code.

    Raises:
        BadInput: too few days.
        StackError: no servers run in this home, and the environment names none.
        StepFailed: MLflow cannot be read to the end, or is not the one of this workspace; nothing was deleted.
    """
    if days < LEAST_DAYS:
        raise BadInput("--older-than", f"{LEAST_DAYS} days or more", str(days))
    _reach(home)
    places = settings()
    request = CleanRequest(
        workspace=places.workspace, cache=str(places.cache), scratch=str(places.scratch), days=days, apply=apply
    )
    with Progress(f"{'cleaning' if apply else 'looking at'} {places.workspace}") as progress, showing_log(progress):
        cleaned = StepRun(STEPS["clean"], request, places).run()
    answer(cleaned.to_json(), target, lambda: _print(cleaned))
    return 0


def _reach(home: Home) -> None:
    """Use the servers of this home, or else those that the environment names."""
    stack = running(home)
    if stack is not None:
        os.environ.update(client_environment(home, stack) | {"LITEGATE_WORKSPACE": stack.workspace})
    elif not os.environ.get("MLFLOW_TRACKING_URI"):
        raise StackError(f"no servers run in {home.root}: start them with `litegate start`, or set MLFLOW_TRACKING_URI")
    os.environ["LITEGATE_HOME"] = str(home.root)


def _print(cleaned: Cleaned) -> None:
    console = Console(highlight=False)
    table = Table("", "objects", "bytes", "", box=None, pad_edge=False)
    for column in table.columns[1:3]:
        column.justify = "right"
    gone = "deleted" if cleaned.applied else "would be deleted"
    for pile in sorted(cleaned.piles, key=lambda pile: pile.fate != "unused"):
        fate = gone if pile.fate == "unused" else f"stays: {_FATES[pile.fate]}"
        table.add_row(pile.kind, f"{pile.count:,}", f"{pile.bytes:,}", fate)
    console.print(table)
    for name in cleaned.foreign:
        console.print(f"not litegate's, never touched: {name}", soft_wrap=True)
    unused = [pile for pile in cleaned.piles if pile.fate == "unused"]
    count, size = sum(pile.count for pile in unused), sum(pile.bytes for pile in unused)
    console.print(f"{count:,} objects of {size:,} bytes {gone}, not used for {cleaned.days} days", soft_wrap=True)
    if count and not cleaned.applied:
        console.print("nothing was deleted: add --apply")
