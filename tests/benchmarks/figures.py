"""The figures of `make bench` for people: a line on the terminal, and the measured parts of `docs/benchmarks.md`.

The page is written by hand, but for what stands between `<!-- measured: NAME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks.rows import ROWS, Row

__all__ = ["Measured", "host", "line", "replaced", "table", "title", "write_page"]

_PACKAGES = ("apache-airflow", "mlflow", "numpy", "ai-edge-litert")


@dataclass(frozen=True)
class Measured:
    """A figure, the seconds that it took to measure, and where and when that was."""

    value: float
    seconds: float
    host: str


def host() -> str:
    """The machine, the versions and the day."""
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    machine = f"{_processor()}, {len(os.sched_getaffinity(0))} cores, Linux {platform.release()}"
    return f"{machine}; Python {platform.python_version()}, {versions}; {datetime.now(UTC):%Y-%m-%d}"


def title() -> str:
    """The head of the lines."""
    return f"{'':32}{'measured':>12}{'limit':>12}  {'':12}{'took':>8}"


def line(name: str, found: Measured | None) -> str:
    """A row on the terminal; None for what could not be measured."""
    if name not in ROWS:
        return f"{name:32}{'':24}  {'not measured' if found is None else f'{chr(32):12}{found.seconds:>6.0f} s'}"
    row = ROWS[name]
    if found is None:
        return f"{name:32}{'-':>12}{_limit(row):>12}  not measured"
    state = "reached" if row.reached(found.value) else "not reached"
    return f"{name:32}{_number(row, found.value):>12}{_limit(row):>12}  {state:12}{found.seconds:>6.0f} s"


def table(measured: Mapping[str, Measured]) -> str:
    """The same as a table of the page: all rows, also those without a figure."""
    lines = ["| what | name | measured | limit | |", "|---|---|---|---|---|"]
    for name, row in ROWS.items():
        found = measured.get(name)
        value = "-" if found is None else _number(row, found.value)
        state = "not measured" if found is None else "reached" if row.reached(found.value) else "**not reached**"
        lines.append(f"| {row.what} | `{name}` | {value} | {_limit(row)} | {state} |")
    return "\n".join(lines)


def replaced(page: str, parts: Mapping[str, str]) -> str:
    """The page with its measured parts in place; those without a new text stay as they are.

    Raises:
        ValueError: the page has no place for one of them.
    """
    for name, text in parts.items():
        begin = f"<!-- measured: {name} -->"
        pattern = re.compile(f"{re.escape(begin)}\n.*?<!-- end -->", re.S)
        if not pattern.search(page):
            raise ValueError(f"the page has no part {begin} ... <!-- end -->")
        page = pattern.sub(lambda _, text=text, begin=begin: f"{begin}\n\n{text}\n\n<!-- end -->", page)  # type: ignore[misc]
    return page


def write_page(page: Path, measured: Mapping[str, Measured], folder: Path) -> None:
    """Write the table, and what rows have left in `folder/parts/NAME.md`, into the page."""
    hosts = sorted({each.host for each in measured.values()})
    parts = {"host": "\n".join(f"- {each}" for each in hosts) or "Nothing was measured.", "table": table(measured)}
    parts |= {path.stem: path.read_text().strip() for path in sorted(folder.glob("parts/*.md"))}
    page.write_text(replaced(page.read_text(), parts))


def _number(row: Row, value: float) -> str:
    return f"{value:.3g}{f' {row.unit}' if row.unit else ''}"


def _limit(row: Row) -> str:
    return f"{'>=' if row.at_least else '<='} {_number(row, row.limit)}"


def _processor() -> str:
    found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.M)
    return found[1].strip() if found else platform.machine()
