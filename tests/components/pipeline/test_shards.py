"""What is merged: shards of the files that are missing, found by their keys, and failures of files that there are."""

from __future__ import annotations

from typing import Any

from litegate.digest import digest_json
from litegate.failures import FailureKind
from litegate.pipeline.shards import merging
from litegate.records import (
    Artifact,
    DataRef,
    EvaluateFilesRequest,
    EvaluateRequest,
    FileFailure,
    FileRef,
    FileShard,
    Record,
)

FILE = FileRef(name="f", digest="0" * 64, bytes=1)
NAMES = ("float32", "int8", "float16")


def asked(variant: str) -> EvaluateRequest:
    file = FILE.model_copy(update={"digest": digest_json(variant)})
    data = DataRef(uri="d.npz", format="npz", digest="1" * 64, manifest=FILE)
    artifact = Artifact(variant=variant, file=file, signatures={})
    return EvaluateRequest(artifact=artifact, data=data, metric="top1", max_samples=None, seed=1)


def failed(variant: str, of: str = "") -> dict[str, FileFailure]:
    digest = digest_json(of or variant)
    return {variant: FileFailure(artifact_digest=digest, kind=FailureKind.SEGFAULT, message="it died")}


class Stored:
    """Results of earlier runs: of evaluations, and of shards by number and variant."""

    def __init__(self, *evaluated: str, gone: tuple[tuple[int, str], ...] = ()) -> None:
        self.evaluated, self.gone = evaluated, gone
        self.looked_up: list[tuple[int, str]] = []

    def find(self, step: str, request: Record) -> tuple[Any | None, ...]:
        files: Any = request
        if step == "evaluate":
            return tuple("found" if file.artifact.variant in self.evaluated else None for file in files.files)
        shards = [(each.number, each.file.artifact.variant) for each in files.files]
        self.looked_up += shards
        return tuple(
            None
            if shard in self.gone
            else FileShard(artifact_digest=digest_json(shard[1]), samples=shard[0], runs=(FILE,), seconds=0.1)
            for shard in shards
        )


REQUEST = EvaluateFilesRequest(files=tuple(map(asked, NAMES)))


def merged(stored: Stored, failures: dict[str, FileFailure] | None = None, of: int = 2) -> dict[str, list[int]]:
    """The shards of each file, by their number of samples."""
    found = merging(REQUEST, failures or {}, of, stored.find)
    return {file.artifact.variant: [shard.samples for shard in file.shards] for file in found.files}


def test_files_that_are_missing_are_merged_from_all_shards_in_their_order() -> None:
    stored = Stored("float32")
    assert merged(stored, of=3) == {"float32": [], "int8": [1, 2, 3], "float16": [1, 2, 3]}
    assert {name for _, name in stored.looked_up} == {"int8", "float16"}


def test_a_file_without_one_of_its_shards_is_evaluated_at_once() -> None:
    assert merged(Stored(gone=((2, "int8"),))) == {"float32": [1, 2], "int8": [], "float16": [1, 2]}


def test_without_shards_nothing_is_looked_up() -> None:
    stored = Stored()
    assert merging(REQUEST, {}, 0, stored.find).files == REQUEST.files
    assert stored.looked_up == []


def test_a_file_that_failed_on_a_shard_has_failed() -> None:
    found = merging(REQUEST, failed("int8"), 2, Stored(gone=((2, "int8"),)).find)
    assert [file.artifact.variant for file in found.files] == ["float32", "float16"]
    (failure,) = found.failures
    assert (failure.step, failure.variant, failure.kind) == ("evaluate", "int8", "segfault")
    assert found.merges


def test_the_failure_of_another_file_and_one_of_a_file_that_is_known_count_for_nothing() -> None:
    assert set(merged(Stored(), failed("int8", of="an earlier file"))) == set(NAMES)
    found = merging(REQUEST, failed("int8"), 2, Stored(*NAMES).find)
    assert (len(found.files), found.failures, found.merges) == (3, (), False)
