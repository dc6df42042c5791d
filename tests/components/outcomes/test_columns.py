"""Parts of the data that were evaluated apart are one evaluation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from litegate.outcomes.columns import Outcomes, Unpaired, merged

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


@settings(derandomize=True, deadline=None, database=None)
@given(
    st.lists(st.integers(0, 4), min_size=SAMPLES, max_size=SAMPLES),
    st.integers(1, SAMPLES),
    st.permutations(range(SAMPLES)),
)
def test_however_the_samples_were_split_the_bytes_are_the_same(shards: list[int], count: int, order: list[int]) -> None:
    asked = np.array(order[:count], np.int64)
    parts = [
        outcomes(rows) for shard in range(5) if len(rows := np.flatnonzero(np.array(shards) == shard).astype(np.int64))
    ]
    assert merged(parts, asked).to_bytes() == outcomes(asked).to_bytes()


def test_a_sample_that_is_missing_or_there_twice_is_no_evaluation() -> None:
    index = np.arange(10)
    with pytest.raises(Unpaired, match="2 of 10 samples were not evaluated"):
        merged([outcomes(index[:5]), outcomes(index[7:])], index)
    with pytest.raises(Unpaired, match="evaluated twice"):
        merged([outcomes(index), outcomes(index[:1])], index)
