"""Files on shards of the data: what is merged is what one pass gives, to the byte."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from litegate.evaluation.lockstep import BATCH
from litegate.failures import FailureKind
from litegate.pipeline.shards import shard_request, whole
from litegate.records import EvaluateRequest, FileEvaluation, FileFailure, FileRef, FileShard, Stopping
from litegate.spec import Gate
from tests.components.evaluation.passes import CONTROLLED, FINE, ON_TARGET, SAMPLES, WORSE, Passes, same


def merged(passes: Passes, requests: list[EvaluateRequest], of: int) -> list[Any]:
    """By way of shards, each with a process of its own for all files."""
    shards = [passes.shard(*requests, number=number, of=of).files for number in range(1, of + 1)]
    found = [each for shard in shards for each in shard if isinstance(each, FileFailure)]
    assert not found, found
    of_files = zip(*shards, strict=True)
    return passes.run(
        *(request.model_copy(update={"shards": each}) for request, each in zip(requests, of_files, strict=True))
    )


@dataclass(frozen=True)
class Row:
    says: str
    keys: tuple[dict[str, Any], ...]
    of: int = 3

    def __str__(self) -> str:
        return self.says


ROWS = [
    Row("all samples", ({}, {})),
    Row("more shards than batches", ({}, {}), of=24),
    Row("a part of them", ({"max_samples": 333}, {"max_samples": 333})),
    Row("a part for one of them", ({}, {"max_samples": 100})),
    Row("none of them all", ({"max_samples": 400}, {"max_samples": 100})),
    Row("a host beside the target", (ON_TARGET, ON_TARGET)),
    Row("a target that sees few", (ON_TARGET | {"target_samples": 5}, ON_TARGET | {"target_samples": 90})),
    Row("a control variate", (CONTROLLED, ON_TARGET | {"target_samples": 90})),
]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_shards_give_what_one_pass_gives(passes: Passes, caplog: pytest.LogCaptureFixture, row: Row) -> None:
    caplog.set_level("INFO", "litegate")
    contents = ("nothing -1 0 7", "nothing -1 1 5")
    requests = [passes.request(content, **keys) for content, keys in zip(contents, row.keys, strict=True)]
    at_once = passes.run(*requests)
    caplog.clear()
    found = merged(passes, requests, row.of)
    assert all(same(one, other) for one, other in zip(found, at_once, strict=True))
    assert caplog.text.count(f"merged from {row.of} shards") == len(requests)
    assert "evaluated at once" not in caplog.text


def test_a_file_sees_the_batches_that_it_sees_in_one_pass(passes: Passes) -> None:
    request = passes.request(FINE)
    shards = [passes.shard(request, number=number, of=3).files[0] for number in (1, 2, 3)]
    starts = [int(outcomes(passes, shard).index[0]) for shard in shards]
    assert [start % BATCH for start in starts] == [0, 0, 0]
    assert sum(shard.samples for shard in shards) == SAMPLES


def outcomes(passes: Passes, shard: Any) -> Any:
    return passes.outcomes(shard.runs[0])


def test_a_file_that_fails_in_a_shard_takes_no_other_along(passes: Passes) -> None:
    requests = passes.request(FINE), passes.request("SIGSEGV 333 0"), passes.request(WORSE)
    (fine, failed, worse), (_, lives, _) = (passes.shard(*requests, number=at, of=2).files for at in (1, 2))
    assert isinstance(failed, FileFailure)
    assert (failed.kind, "its process died: SIGSEGV" in failed.message) == (FailureKind.SEGFAULT, True)
    assert all(isinstance(each, FileShard) for each in (fine, worse, lives))


def test_of_a_file_that_its_control_variate_refuses_the_host_is_merged(passes: Passes) -> None:
    requests = [passes.request("refused -1 0", **CONTROLLED)]
    (found,) = merged(passes, requests, 2)
    assert same(found, passes.run(*requests)[0])
    assert "it knows no such file" in found.control.refused


def test_files_with_shards_and_without_go_together(passes: Passes) -> None:
    one, other = passes.request(FINE), passes.request(WORSE)
    shards = tuple(passes.shard(one, number=number, of=2).files[0] for number in (1, 2))
    found = passes.run(one.model_copy(update={"shards": shards}), other)
    assert all(same(*each) for each in zip(found, passes.run(one, other), strict=True))


def test_what_may_end_early_has_no_shards(passes: Passes) -> None:
    stopping = Stopping(policy=Gate(max_drop=0.3), variants=1, first_samples=100)
    early, fixed = passes.request(WORSE, (FINE,), stopping=stopping), passes.request(FINE)
    assert whole([fixed]) == ""
    assert whole([fixed, early]) == "int8 may end early, after what was seen of all samples"
    with pytest.raises(ValueError, match="an evaluation that may end early has no shards"):
        shard_request([early], 1, 2)
    with pytest.raises(ValueError, match="shard 3 of 2"):
        shard_request([fixed], 3, 2)


def test_what_files_a_pass_has_beside_it_is_in_the_request_only_as_far_as_it_counts(passes: Passes) -> None:
    one, other, few = passes.request(FINE), passes.request(WORSE), passes.request(WORSE, max_samples=100)
    alone, beside, with_few = (shard_request(files, 1, 2).files[0] for files in ([one], [one, other], [one, few]))
    assert alone == beside
    assert alone.keyed() != with_few.keyed()
    renamed = one.model_copy(update={"artifact": passes.artifact(FINE, "uint8"), "where": "elsewhere"})
    assert shard_request([renamed], 1, 2).files[0].keyed() == alone.keyed()
    assert one.model_copy(update={"shards": (SHARD,)}).keyed() == one.keyed()


SHARD = FileShard(artifact_digest="0" * 64, samples=0, runs=(), seconds=0.0)


def changed(shard: FileShard, passes: Passes, change: Any) -> FileShard:
    """The same with other columns."""
    (run,) = shard.runs
    assert run is not None
    with np.load(passes.work.path(run)) as arrays:
        columns = change(dict(arrays))
    path = passes.work.folder / "changed.npz"
    np.savez_compressed(path, **columns)
    ref = passes.work.keep(path)
    (passes.work.outputs / ref.digest).rename(passes.work.path(ref))
    return shard.model_copy(update={"runs": (ref,)})


FORGERIES = {
    "a sample is missing": lambda columns: {name: column[1:] for name, column in columns.items()},
    "a sample is there twice": lambda columns: columns | {"index": columns["index"] // 2 * 2},
    "samples of another shard": lambda columns: columns | {"index": columns["index"] + 32},
    "no index": lambda columns: {name: column for name, column in columns.items() if name != "index"},
    "an index of floats": lambda columns: columns | {"index": columns["index"].astype(float)},
    "a column that there is none of": lambda columns: columns | {"secret": columns["index"]},
    "a column of another length": lambda columns: columns | {"score": columns["score"][1:]},
    "texts": lambda columns: columns | {"score": columns["score"].astype("U9")},
    "objects": lambda columns: columns | {"score": columns["score"].astype(object)},
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_shards_that_are_not_of_the_samples_are_not_used(
    passes: Passes, caplog: pytest.LogCaptureFixture, forgery: str
) -> None:
    caplog.set_level("INFO", "litegate")
    request = passes.request(FINE)
    (first,), (second,) = (passes.shard(request, number=number, of=2).files for number in (1, 2))
    assert isinstance(second, FileShard)
    forged = (first, changed(second, passes, FORGERIES[forgery]))
    (found,) = passes.run(request.model_copy(update={"shards": forged}))
    assert same(found, passes.run(request)[0])
    assert "its shards are not used, and it is evaluated at once" in caplog.text


def test_files_that_are_no_outcomes_are_not_used(passes: Passes, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "litegate")
    request = passes.request(FINE)
    other = passes.shard(passes.request(WORSE)).files
    no_archive = FileRef(name="f", digest="a" * 64, bytes=3)
    Path(passes.work.path(no_archive)).write_bytes(b"abc")
    broken = SHARD.model_copy(update={"artifact_digest": request.artifact.file.digest, "runs": (no_archive,)})
    for shards, says in (
        (other, "they are of another file"),
        ((broken,), "BadZipFile: File is not a zip file"),
        ((broken.model_copy(update={"runs": (None, None)}),), "expected 1 runs of files in each"),
    ):
        (found,) = passes.run(request.model_copy(update={"shards": shards}))
        assert isinstance(found, FileEvaluation)
        assert found.samples == SAMPLES
        assert says in caplog.text
