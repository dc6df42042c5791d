"""A verdict as artifacts of a run: as data, and as files for people."""

from __future__ import annotations

from pathlib import PurePosixPath

from litegate.records import Verdict
from litegate.tracking import notes
from litegate.tracking.artifacts import Content
from litegate.work.step_work import Work

__all__ = ["verdict_files"]


def verdict_files(work: Work, verdict: Verdict) -> dict[str, Content]:
    """A verdict, and its files under the names that they have for every variant: what `artifacts.upload` takes."""
    found: dict[str, Content] = {notes.VERDICT: verdict.model_dump_json(indent=2)}
    for file in verdict.explanation:
        name = PurePosixPath(file.name).name.removeprefix(f"{verdict.variant}-")
        found[f"{notes.EXPLANATION}/{name}"] = work.path(file)
    return found
