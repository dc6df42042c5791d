"""The evaluation of files on a part of the data, for as many workers as there are parts."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from litegate.records.base import Record
from litegate.records.device import SampleChoice
from litegate.records.evaluation import EvaluateRequest

__all__ = ["ShardFilesRequest", "ShardRequest"]


class ShardRequest(Record):
    """A file on one of the shards, which are cut where batches begin.

    Attributes:
        number: of the shard, from 1.
        of: how many there are.
        choices: which samples the files of the same pass see, each choice once: where batches begin depends on it.
    """

    unkeyed: ClassVar[dict[str, Any]] = {"file": EvaluateRequest.unkeyed}

    file: EvaluateRequest
    number: int = Field(ge=1)
    of: int = Field(ge=1)
    choices: tuple[SampleChoice, ...] = Field(min_length=1)

    @property
    def runtime(self) -> str:
        """What runs the file."""
        return self.file.runtime

    @model_validator(mode="after")
    def _is_a_part(self) -> Self:
        if self.number > self.of:
            raise ValueError(f"shard {self.number} of {self.of}")
        if self.file.stopping is not None:
            raise ValueError("an evaluation that may end early has no shards: what it sees depends on what it saw")
        return self


class ShardFilesRequest(Record):
    """Several files in one pass over a shard; see `EvaluateFilesRequest`, whose rules hold for the files."""

    files: tuple[ShardRequest, ...] = Field(min_length=1)

    @property
    def runtime(self) -> str:
        """What runs all of them, but for what the host alone runs."""
        files = [each.file for each in self.files]
        return next((file.runtime for file in files if file.runtime != file.host), files[0].runtime)

    @model_validator(mode="after")
    def _are_of_one_shard(self) -> Self:
        first = self.files[0]
        if any((each.number, each.of, each.choices) != (first.number, first.of, first.choices) for each in self.files):
            raise ValueError("files of one pass have one shard")
        return self
