"""Evaluations on several workers: each runs all files of a run on a shard of the samples."""

from __future__ import annotations

from collections.abc import Sequence

from litegate.records import EvaluateRequest, SampleChoice, ShardFilesRequest, ShardRequest

__all__ = ["shard_request", "whole"]


def shard_request(files: Sequence[EvaluateRequest], number: int, of: int) -> ShardFilesRequest:
    """The evaluation of files on one of the shards, from 1; all of them in one pass.

    Raises:
        ValueError: one of them may end early; see `whole`.
    """
    choices = _choices(files)
    return ShardFilesRequest(
        files=tuple(ShardRequest(file=file, number=number, of=of, choices=choices) for file in files)
    )


def whole(files: Sequence[EvaluateRequest]) -> str:
    """Why the files cannot be evaluated in shards; empty if they can."""
    early = [file.artifact.variant for file in files if file.stopping is not None]
    return f"{', '.join(early)} may end early, after what was seen of all samples" if early else ""


def _choices(files: Sequence[EvaluateRequest]) -> tuple[SampleChoice, ...]:
    """In one order, whichever file is missing."""
    return tuple(sorted({file.choice for file in files}, key=SampleChoice.model_dump_json))
