"""Step `evaluate_shard`: run .tflite files over one of several parts of the evaluation data.

The parts are cut where a batch of the whole pass begins, so that every file sees the batches that it would see there.
The step `evaluate` merges what came of all of them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from litegate.evaluation.beside import kept
from litegate.evaluation.kept import Kept, Seen
from litegate.evaluation.loaded import Loaded
from litegate.evaluation.one_pass import OnePass, Part
from litegate.evaluation.setup import Setup
from litegate.records import EvaluateRequest, FileFailure, FileRef, FileShard, FileShards, ShardFilesRequest
from litegate.work.step_work import Work

__all__ = ["run"]

Array = np.ndarray[Any, np.dtype[Any]]
Result = FileShard | FileFailure


def run(request: ShardFilesRequest, work: Work) -> FileShards:
    """Evaluate every file of the request on the shard; one that fails takes no other along.

    Raises:
        DataError: the data cannot be read or does not fit the model or the metric.
        SpecError: the user's metric cannot be used.
        StepFailed: a process died of the data or the user's code.
    """
    loaded = Loaded([each.file for each in request.files], work)
    shard = request.files[0].number, request.files[0].of
    return FileShards(files=loaded.together(lambda files: _Evaluating(files, loaded, work).run(*shard)))


class _Evaluating:
    """One pass over the shard, for files that take and give the same."""

    def __init__(self, files: Mapping[int, EvaluateRequest], loaded: Loaded, work: Work) -> None:
        self._files, self._loaded, self._work = files, loaded, work
        self._setup = Setup(files, loaded, work)
        self._parts = self._setup.parts

    def run(self, number: int, of: int) -> dict[int, Result]:
        """What each of the files comes to, by its place in the request."""
        names = ", ".join(part.name for part in self._parts.values())
        samples = -(-max(len(part.plan.order) for part in self._parts.values()) // of)
        with tempfile.TemporaryDirectory(dir=self._work.folder) as folder:
            outcomes = Kept(Path(folder), self._setup.dataset)
            pool, progress = self._setup.pool(samples, f"evaluate shard {number} of {of} of {names}")
            with pool:
                whole = OnePass(pool, list(self._parts.values()), self._setup.metric.facts, outcomes)
                shard = whole.run_shard(number, of)
            seconds = progress.seconds
            return {at: self._result(file, whole, self._parts[at], shard, seconds) for at, file in self._files.items()}

    def _result(
        self, file: EvaluateRequest, whole: OnePass, part: Part, shard: Array | range, seconds: float
    ) -> Result:
        failed = self._loaded.failure(file, part.control is not None, whole.pool.failures)
        if failed is not None:
            return failed
        saw = [(run, np.intersect1d(shard, order)) for run, order in part.demands]
        return FileShard(
            artifact_digest=file.artifact.file.digest,
            samples=len(saw[0][1]),
            runs=tuple(self._outcomes(whole, at, *each) for at, each in enumerate(saw)),
            seconds=seconds,
        )

    def _outcomes(self, whole: OnePass, at: int, run: int, samples: Array) -> FileRef | None:
        """What a run of a file gave on its samples of the shard; None if there are none."""
        if not len(samples):
            return None
        seen = Seen(whole.kept, run, samples)
        return kept(self._work, seen, f"outcomes-{at}.npz")
