"""What files gave is kept on disk, and comes out as if it had been kept whole in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litegate.datasets.npz import NpyDataset
from litegate.evaluation.kept import Kept, Seen
from litegate.outcomes.columns import Outcomes, Unpaired

SAMPLES = 120


def outcomes(index: np.ndarray) -> Outcomes:
    """As a file gives them on these samples."""
    return Outcomes(
        index=index,
        id=np.array([str(each).encode() for each in index.tolist()]),
        score=index % 3 == 0,
        label=index % 5,
        prediction=index % 4,
        fed=np.array([b"%016d" % each for each in index.tolist()]),
    )


def add(kept: Kept, file: int, found: Outcomes) -> None:
    columns = {name: getattr(found, name) for name in ("score", "label", "prediction", "fed")}
    kept.add_names(found.index, found.id)
    kept.add(file, found.index, columns)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> NpyDataset:
    path = tmp_path_factory.mktemp("data") / "x.npy"
    np.save(path, np.zeros((SAMPLES, 1)))
    return NpyDataset.open({"x.npy": lambda: path}, "evaluation.uri")


@settings(derandomize=True, deadline=None, database=None)
@given(
    st.lists(st.integers(0, 4), min_size=SAMPLES, max_size=SAMPLES),
    st.integers(1, SAMPLES),
    st.permutations(range(SAMPLES)),
)
def test_however_the_samples_were_split_the_bytes_are_the_same(
    dataset: NpyDataset,
    tmp_path_factory: pytest.TempPathFactory,
    shards: list[int],
    count: int,
    order: list[int],
) -> None:
    kept = Kept(tmp_path_factory.mktemp("kept"), dataset)
    asked = np.array(order[:count], np.int64)
    for shard in range(5):
        rows = np.flatnonzero(np.array(shards) == shard).astype(np.int64)
        if len(rows):
            add(kept, 0, outcomes(rows))
    seen = Seen(kept, 0, asked)
    written = seen.write(kept.folder / "written").read_bytes()
    assert written == seen.outcomes().to_bytes() == outcomes(asked).to_bytes()


def test_a_range_is_what_its_numbers_are(dataset: NpyDataset, tmp_path: Path) -> None:
    kept, whole = Kept(tmp_path, dataset), outcomes(np.arange(SAMPLES))
    add(kept, 0, whole)
    assert Seen(kept, 0, range(SAMPLES)).write(tmp_path / "written").read_bytes() == whole.to_bytes()


def test_a_sample_that_is_missing_or_forgotten_is_no_evaluation(dataset: NpyDataset, tmp_path: Path) -> None:
    kept, index = Kept(tmp_path, dataset), np.arange(10)
    add(kept, 0, outcomes(index[:5]))
    add(kept, 0, outcomes(index[7:]))
    with pytest.raises(Unpaired, match="2 of 10 samples were not evaluated"):
        Seen(kept, 0, index)
    kept.forget(0, index[:3])
    with pytest.raises(Unpaired, match="5 of 10 samples were not evaluated"):
        Seen(kept, 0, index)


def test_numbers_of_another_type_may_come_later(dataset: NpyDataset, tmp_path: Path) -> None:
    kept, index = Kept(tmp_path, dataset), np.arange(4)
    kept.add_names(index[:2], np.array([b"0", b"1"]))
    kept.add_names(index[2:], np.array([b"2", b"three"]))
    kept.add(0, index[:2], {"score": np.array([True, False])})
    kept.add(0, index[2:], {"score": np.array([0.5, 0.25])})
    found = Seen(kept, 0, index).outcomes()
    assert found.score.tolist() == [1, 0, 0.5, 0.25]
    assert found.id.tolist() == [b"0", b"1", b"2", b"three"]
