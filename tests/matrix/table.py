"""The table of what was run, on the page about versions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.matrix.environments import SHOWN
from tests.matrix.rows import CHECKS

__all__ = ["table", "write_table"]

BEGIN, END = "<!-- make matrix writes from here -->", "<!-- to here -->"


def write_table(page: Path, rows: Mapping[str, Mapping[str, Any]]) -> None:
    """Put the table where the page has its place; rows that were only tried are not on it."""
    before, _, rest = page.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    ours = {name: found for name, found in rows.items() if not found["tried"]}
    page.write_text(f"{before}{BEGIN}\n\n{table(ours)}\n{END}{after}")


def table(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """The rows as Markdown."""
    heads = ("row", "Python", *SHOWN, *CHECKS, "minutes", "run on")
    lines = [heads, ("---",) * len(heads), *(_cells(name, found) for name, found in rows.items())]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _cells(name: str, found: Mapping[str, Any]) -> tuple[str, ...]:
    checks = found["checks"]
    versions = (found["versions"].get(package, "") for package in SHOWN)
    minutes = sum(each["seconds"] for each in checks.values()) / 60
    return (
        name,
        found["python"],
        *versions,
        *(_said(checks.get(each)) for each in CHECKS),
        f"{minutes:.0f}",
        found["when"],
    )


def _said(check: Mapping[str, Any] | None) -> str:
    if check is None:
        return "not run"
    return ", ".join(f"{number} {word}" for word, number in check["counts"].items()) or f"exit code {check['code']}"
