"""Samples in the batches that a model takes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from litegate.runtimes.batches import batches, fixed_batch, in_batches

SHAPES: list[tuple[list[tuple[int | None, ...]], int | None]] = [
    ([(None, 8), (-1, 4)], None),
    ([(8, 4)], 8),
    ([(None, 4), (2, 4)], 2),
    ([(), (1, 4)], 1),
    ([], None),
]


@pytest.mark.parametrize(("shapes", "fixed"), SHAPES)
def test_a_fixed_batch_is_told_by_the_shapes(shapes: list[tuple[int | None, ...]], fixed: int | None) -> None:
    assert fixed_batch(shapes) == fixed


@pytest.mark.parametrize("size", [1, 3, 4, 8])
def test_a_remainder_is_filled_up_and_what_was_filled_in_is_dropped(size: int) -> None:
    features = {"x": np.arange(7.0)}
    fed: list[int] = []

    def run(batch: dict[str, Any]) -> dict[str, Any]:
        fed.append(len(batch["x"]))
        return {"y": batch["x"] * 2}

    assert in_batches(run, features, size)["y"].tolist() == (np.arange(7.0) * 2).tolist()
    assert set(fed) == {size}


def test_what_is_filled_in_is_the_last_sample() -> None:
    assert [batch["x"].tolist() for batch in batches({"x": np.arange(3)}, 2)] == [[0, 1], [2, 2]]
    assert [len(batch["x"]) for batch in batches({"x": np.arange(3)}, 2, fill=False)] == [2, 1]
