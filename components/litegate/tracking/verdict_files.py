"""A verdict as artifacts of a run: as data, and as files for people."""

from __future__ import annotations

import shutil
from pathlib import PurePosixPath

from mlflow import MlflowClient

from litegate.records import Verdict
from litegate.tracking import notes
from litegate.work.step_work import Work

__all__ = ["log_verdict"]


def log_verdict(client: MlflowClient, work: Work, run_id: str, verdict: Verdict) -> None:
    """Keep a verdict, and its files under the names that they have for every variant."""
    client.log_text(run_id, verdict.model_dump_json(indent=2), notes.VERDICT)
    for file in verdict.explanation:
        name = PurePosixPath(file.name).name.removeprefix(f"{verdict.variant}-")
        path = work.folder / notes.EXPLANATION / verdict.variant / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(work.path(file), path)
        client.log_artifact(run_id, str(path), notes.EXPLANATION)
