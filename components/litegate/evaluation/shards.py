"""Files on one of several parts of the samples, and how the parts are put together as if there had been one pass.

The parts are cut where a batch of the whole pass begins, so that every file sees the batches that it would see there.
Each is the result of a confined step that ran the user's code, like any outcomes. What it may say is what a file gave
on the very samples that are asked for, each of them once; shards of which this does not hold are not used.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from litegate.evaluation.beside import kept as kept_file
from litegate.evaluation.kept import Kept, Seen
from litegate.evaluation.loaded import Loaded
from litegate.evaluation.one_pass import OnePass, Part
from litegate.evaluation.setup import Setup
from litegate.evaluation.stored import UNREADABLE, stored_index, stored_parts
from litegate.records import EvaluateRequest, FileFailure, FileRef, FileShard
from litegate.work.step_work import Work

__all__ = ["ShardPass", "merge"]

Array = np.ndarray[Any, np.dtype[Any]]
Result = FileShard | FileFailure


class ShardPass:
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
        return kept_file(self._work, seen, f"outcomes-{at}.npz")


def merge(file: EvaluateRequest, part: Part, kept: Kept, work: Work) -> bool:
    """Keep what all shards of a file gave; False if there are none, or what they say cannot be used.

    Raises:
        ValueError: shards have columns of several shapes.
    """
    if not file.shards:
        return False
    runs = list(zip(*(shard.runs for shard in file.shards), strict=False))
    try:
        found = [_Run([work.path(ref) for ref in refs if ref is not None]) for refs in runs]
        problem = _problem(file, part, found)
    except UNREADABLE as error:
        problem = f"{type(error).__name__}: {error}"
    if problem:
        work.say("evaluate %s: its shards are not used, and it is evaluated at once: %s", part.name, problem)
        return False
    for (number, _), run in zip(part.demands, found, strict=True):
        run.add_to(kept, number)
    work.say("evaluate %s: merged from %d shards", part.name, len(file.shards))
    return True


def _problem(file: EvaluateRequest, part: Part, found: Sequence[_Run]) -> str:
    """Why the shards are not those of this file; empty if they are."""
    if any(shard.artifact_digest != file.artifact.file.digest for shard in file.shards):
        return "they are of another file"
    if any(len(shard.runs) != len(part.demands) for shard in file.shards):
        return f"expected {len(part.demands)} runs of files in each"
    for (_, order), run in zip(part.demands, found, strict=True):
        if not np.array_equal(np.sort(run.index), np.sort(np.asarray(order))):
            return f"expected each of {len(order):,} samples once, got {len(run.index):,} others"
    return ""


class _Run:
    """What all shards have of a run of a file; see `stored_index` for what it raises."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._indices = {path: stored_index(path) for path in paths}
        self.index = np.concatenate([np.empty(0, np.int64), *self._indices.values()])

    def add_to(self, kept: Kept, number: int) -> None:
        """As what a file with this number gave."""
        for path, index in self._indices.items():
            names = [kept.dataset.ids[position].encode() for position in index.tolist()]
            kept.add_names(index, np.array(names))
            for name, rows, values in stored_parts(path):
                kept.add(number, index[rows], {name: values})
