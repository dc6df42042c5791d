"""`litegate clean`."""

from __future__ import annotations

import os
from pathlib import Path

from litegate.cli.output import answer
from litegate.cli.progress import Progress, showing_log
from litegate.cli.screen import Column, print_columns, say, screen
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
    console, gone = screen(), "deleted" if cleaned.applied else "would be deleted"
    piles = sorted(cleaned.piles, key=lambda pile: pile.fate != "unused")
    fates = [gone if pile.fate == "unused" else f"stays: {_FATES[pile.fate]}" for pile in piles]
    counts = (("objects", [pile.count for pile in piles]), ("bytes", [pile.bytes for pile in piles]))
    numbers = [Column(name, [f"{number:,}" for number in found], number=True) for name, found in counts]
    print_columns(console, [Column("kind", [pile.kind for pile in piles]), *numbers, Column("what becomes", fates)])
    for name in cleaned.foreign:
        say(console, f"not litegate's, never touched: {name}")
    unused = [pile for pile in piles if pile.fate == "unused"]
    count, size = sum(pile.count for pile in unused), sum(pile.bytes for pile in unused)
    say(console, f"{count:,} objects of {size:,} bytes {gone}, not used for {cleaned.days} days")
    if count and not cleaned.applied:
        say(console, "nothing was deleted: add --apply")
