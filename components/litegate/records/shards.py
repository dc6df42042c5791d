"""What files gave on a part of the evaluation data."""

from __future__ import annotations

from litegate.records.artifacts import FileFailure
from litegate.records.base import FileRef, Record
from litegate.records.fields import Count, Digest

__all__ = ["FileShard", "FileShards"]


class FileShard(Record):
    """The outcomes of an artifact on one shard of the samples.

    Attributes:
        samples: how many of those that are judged are in the shard.
        runs: an npz as `FileEvaluation.outcomes` for each run of a file that the evaluation asks for: by the runtime
            that counts, by the host, and by that of the control variate; None where it sees no sample of the shard.
        seconds: how long the pass took.
    """

    artifact_digest: Digest
    samples: Count
    runs: tuple[FileRef | None, ...]
    seconds: float


class FileShards(Record):
    """What each of the request's files came to, in their order."""

    files: tuple[FileShard | FileFailure, ...]
