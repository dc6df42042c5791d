"""Outputs that say nothing any more, told from those that hardly vary or are meant to be constant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from litegate.inspection.dead import dead_in_both, dead_outputs
from litegate.records import DeadOutput

Array = np.ndarray[Any, np.dtype[Any]]
RANDOM = np.random.default_rng(3)
BOXES, SCORES = RANDOM.uniform(0, 640, (32, 6, 4)), RANDOM.uniform(0, 1, (32, 6, 2))


def found(variant: dict[str, Array], float32: dict[str, Array], distinct: int = 32) -> tuple[DeadOutput, ...]:
    return dead_outputs(variant, float32, distinct)


def steps(values: Array, step: float) -> Array:
    """As a scale with such steps holds them."""
    return np.round(values / step) * step


@dataclass(frozen=True, kw_only=True)
class Row:
    id: str
    float32: Array
    variant: Array
    columns: tuple[int, ...] | None = None
    certain: bool = True


JOINED = np.concatenate([BOXES, SCORES], axis=2)
RANKS = RANDOM.permuted(np.tile(np.arange(6), (32, 1)), axis=1)
CLASSES = RANDOM.integers(0, 3, (32, 6)).astype(float)
WIDE = RANDOM.normal(0, 1, (32, 40)) * np.where(np.arange(40) < 39, 1, 1e-3)
ROWS = (
    Row(id="all scores are zero", float32=SCORES, variant=np.zeros_like(SCORES), columns=()),
    Row(id="scores beside boxes", float32=JOINED, variant=steps(JOINED, 2.5), columns=(4, 5)),
    Row(
        id="the same with channels first",
        float32=JOINED.swapaxes(1, 2),
        variant=steps(JOINED, 2.5).swapaxes(1, 2),
        columns=(4, 5),
    ),
    Row(id="one number of each sample", float32=SCORES[:, 0, 0], variant=np.zeros(32), columns=()),
    Row(id="a flag that flips at random", float32=SCORES[:, 0], variant=steps(SCORES[::-1, 0], 1.0), columns=()),
    Row(id="few columns of a table", float32=JOINED[:, 0], variant=steps(JOINED[:, 0], 2.5), columns=(4, 5)),
    Row(id="one of many columns", float32=WIDE, variant=steps(WIDE, 0.02), columns=(39,), certain=False),
    Row(
        id="detections in another order",
        float32=BOXES,
        variant=steps(np.take_along_axis(BOXES, RANKS[:, :, None], axis=1), 2.5),
    ),
    Row(id="their classes", float32=CLASSES, variant=np.take_along_axis(CLASSES, RANKS, axis=1)),
    Row(id="fine steps", float32=JOINED, variant=steps(JOINED, 0.05)),
    Row(id="another offset", float32=SCORES, variant=SCORES + 3),
    Row(id="constant in float32 too", float32=np.full((32, 3), 7.0), variant=np.full((32, 3), 7.1)),
    Row(id="a constant in all but name", float32=7 + SCORES[:, 0] * 1e-4, variant=np.full((32, 2), 7.0)),
    Row(id="a class that never comes", float32=SCORES[:, 0] / 200, variant=np.zeros((32, 2))),
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_dead_is_what_is_no_nearer_to_float32_than_a_constant(row: Row) -> None:
    dead = found({"y": row.variant}, {"y": row.float32})
    assert [each.columns for each in dead] == ([] if row.columns is None else [row.columns])
    assert all(each.certain == row.certain for each in dead)


def test_only_the_output_that_is_dead_is_named_and_few_samples_prove_nothing() -> None:
    float32, variant = {"boxes": BOXES, "scores": SCORES}, {"boxes": BOXES + 1, "scores": np.zeros_like(SCORES)}
    (dead,) = found(variant, float32)
    assert (dead.output, dead.constant, dead.certain) == ("scores", True, True)
    assert not found(variant, float32, distinct=7)[0].certain


def test_float32_may_have_run_fewer_samples() -> None:
    assert found({"y": np.zeros_like(SCORES)}, {"y": SCORES[:9]})


def test_the_sentence_says_what_and_beside_what() -> None:
    (dead,) = found({"y": steps(JOINED, 2.5)}, {"y": JOINED})
    said = str(dead)
    assert said.startswith("columns 4, 5 of 6 of its output y are the same for all of 32 different samples")
    assert "float32's vary by up to 0.9" in said
    assert said.endswith("beside values of up to 640")


SURE = np.where(SCORES[:, 0] > 0.5, 0.999, 0.001)
"""What training makes of scores: surer ones."""


@pytest.mark.parametrize(
    ("trained", "variant", "dead"),
    [
        (SCORES[:, 0], np.zeros((32, 2)), True),  # a scale that holds nothing of it
        (np.full((32, 2), 0.001), np.zeros((32, 2)), False),  # so is the trained model
        (SCORES[::-1, 0], steps(SURE, 1.0), False),  # which is far from its file, while float32 is near
    ],
    ids=["too coarse", "sure of one", "trained with rounding"],
)
def test_what_was_trained_is_dead_by_float32_and_by_itself(trained: Array, variant: Array, dead: bool) -> None:
    """Each of the last two would be dead by one of them alone."""
    float32 = SCORES[:, 0]
    alone = [bool(found({"y": variant}, {"y": each})) for each in (float32, trained)]
    assert any(alone)
    assert bool(dead_in_both({"y": variant}, {"y": float32}, {"y": trained}, 32)) is dead
    assert alone == [True, True] if dead else sum(alone) == 1
