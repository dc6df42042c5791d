"""Evaluations on several workers: each runs all files of a run on a shard of the samples, and one merges the shards."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from litegate.records import (
    EvaluateFilesRequest,
    EvaluateRequest,
    Failure,
    FileFailure,
    Record,
    SampleChoice,
    ShardFilesRequest,
    ShardRequest,
)

__all__ = ["Find", "Merging", "merging", "missing", "shard_request", "whole"]

log = logging.getLogger("litegate")

Find = Callable[[str, Record], tuple[Any | None, ...]]
"""Gives for a step and a request what is stored of each of the request's files, or None."""


def shard_request(files: Sequence[EvaluateRequest], number: int, of: int) -> ShardFilesRequest:
    """The evaluation of files on one of the shards, from 1; all of them in one pass.

    Raises:
        ValueError: one of them may end early; see `whole`.
    """
    choices = _choices(files)
    return ShardFilesRequest(
        files=tuple(ShardRequest(file=file, number=number, of=of, choices=choices) for file in files)
    )


def missing(request: EvaluateFilesRequest, find: Find) -> tuple[EvaluateRequest, ...]:
    """The files that no earlier run has evaluated."""
    found = find("evaluate", request)
    return tuple(file for file, result in zip(request.files, found, strict=True) if result is None)


def whole(files: Sequence[EvaluateRequest]) -> str:
    """Why the files cannot be evaluated in shards; empty if they can."""
    early = [file.artifact.variant for file in files if file.stopping is not None]
    return f"{', '.join(early)} may end early, after what was seen of all samples" if early else ""


@dataclass(frozen=True)
class Merging:
    """An evaluation after that of its shards.

    Attributes:
        files: those to evaluate, with their shards where all are there.
        failures: of the other files, each of which failed in a shard.
    """

    files: tuple[EvaluateRequest, ...]
    failures: tuple[Failure, ...]

    @property
    def merges(self) -> bool:
        """Whether anything is merged."""
        return any(file.shards for file in self.files)


def merging(request: EvaluateFilesRequest, failed: Mapping[str, FileFailure], of: int, find: Find) -> Merging:
    """The evaluation of files that were evaluated in `of` shards.

    Results of shards are found by their keys, as those of any step: whoever evaluates one need not say so. A file of
    which one is not found, as where another type of processor has made it, is evaluated at once.

    Args:
        failed: why files have no result of a shard, by variant; that is stored nowhere.
        of: 0 where there are no shards.
    """
    if not of:
        return Merging(request.files, ())
    lacking = missing(request, find)
    digests = {file.artifact.variant: file.artifact.file.digest for file in lacking}
    failures = {name: found for name, found in failed.items() if digests.get(name) == found.artifact_digest}
    shards = _shards(lacking, of, find)
    files = tuple(
        file.model_copy(update={"shards": shards.get(file.artifact.variant, ())})
        for file in request.files
        if file.artifact.variant not in failures
    )
    return Merging(files, tuple(_failure(*each) for each in failures.items()))


def _failure(variant: str, found: FileFailure) -> Failure:
    return Failure(step="evaluate", kind=found.kind, message=found.message, variant=variant)


def _shards(files: Sequence[EvaluateRequest], of: int, find: Find) -> dict[str, tuple[Any, ...]]:
    """What all shards gave, by variant, of files of which all are there."""
    if not files or whole(files):
        return {}
    of_shards = [find("evaluate_shard", shard_request(files, number, of)) for number in range(1, of + 1)]
    found = {}
    for file, of_file in zip(files, zip(*of_shards, strict=True), strict=True):
        absent = [str(number) for number, shard in enumerate(of_file, 1) if shard is None]
        if absent:
            log.warning("evaluate %s: no result of shard %s of %d", file.artifact.variant, ", ".join(absent), of)
        else:
            found[file.artifact.variant] = of_file
    return found


def _choices(files: Sequence[EvaluateRequest]) -> tuple[SampleChoice, ...]:
    """In one order, whichever file is missing."""
    return tuple(sorted({file.choice for file in files}, key=SampleChoice.model_dump_json))
