"""Where each second of a run goes, as a table of `docs/benchmarks.md`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

__all__ = ["profile", "write_profile"]


def write_profile(folder: Path, run: dict[str, Any]) -> None:
    """Leave the table for the page."""
    part = folder / "parts" / "profile.md"
    part.parent.mkdir(exist_ok=True)
    part.write_text(profile(run))


def profile(run: dict[str, Any]) -> str:
    """Each task with its elements together: when it began and ended, and whether the run waited for it."""
    critical = {task["name"] for task in run["path"]}
    lines = [
        "| task | began at | ended at | seconds, all elements together | on the critical path |",
        "|---|---|---|---|---|",
    ]
    for name in dict.fromkeys(task["name"] for task in run["tasks"]):
        elements = [task for task in run["tasks"] if task["name"] == name]
        begin, end = min(task["begin"] for task in elements), max(task["end"] for task in elements)
        took = sum(task["end"] - task["begin"] for task in elements)
        many = f" ({len(elements)})" if len(elements) > 1 else ""
        on = "yes" if name in critical else ""
        lines.append(f"| `{name}`{many} | {begin:.1f} s | {end:.1f} s | {took:.1f} s | {on} |")
    between = run["run_seconds"] - run["work_seconds"]
    total = (
        f"The command took {run['seconds']:.1f} s, the run in Airflow {run['run_seconds']:.1f} s:"
        f" {run['work_seconds']:.1f} s of tasks on the critical path, and {between:.1f} s between them."
    )
    return "\n".join([total, "", *lines])
