"""Copies with a little noise are found, in every kind of data, and strangers are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from litegate.lint.near import NearCopies

Array = np.ndarray[Any, np.dtype[Any]]
RANDOM = np.random.default_rng(1)


def table(size: int) -> Array:
    """Columns of very different size, as in tables that are not scaled."""
    small = [RANDOM.integers(18, 90, size), *(RANDOM.normal(size=size) for _ in range(7))]
    return np.column_stack([*small, 100 * RANDOM.lognormal(11, 1, size)]).astype(np.float32)


def sparse(size: int) -> Array:
    """Nearly nothing but zeros, as counts of words."""
    return (RANDOM.random((size, 400)) < 0.02).astype(np.float32)


KINDS: dict[str, Callable[[int], Array]] = {
    "images": lambda size: RANDOM.random((size, 8, 8, 3)).astype(np.float32),
    "large numbers": lambda size: (255 * RANDOM.random((size, 64))).astype(np.float32),
    "a table": table,
    "words": sparse,
    "8 bits": lambda size: RANDOM.integers(0, 256, (size, 64)).astype(np.uint8),
}


def noisy(values: Array) -> Array:
    return values if values.dtype.kind != "f" else values + (1e-6 * RANDOM.normal(size=values.shape)).astype("f4")


def searched(known: Array, others: Array, available: int | None = None) -> tuple[int, list[str]]:
    near = NearCopies({"x": known})
    for start in range(0, len(others), 32):
        near.add({"x": others[start : start + 32]})
    return len(near.found), [each.severity for each in near.findings(available or len(others))]


@pytest.mark.parametrize("kind", KINDS)
def test_copies_are_found_and_strangers_are_not(kind: str) -> None:
    known = KINDS[kind](200)
    assert searched(known, noisy(known)) == (200, ["error"])
    assert searched(known, KINDS[kind](1000)) == (0, [])


def test_what_became_equal_in_preprocess_counts_unless_it_is_known_to_be_a_copy() -> None:
    known = np.round(RANDOM.normal(size=(100, 64)), 1)
    near = NearCopies({"x": known})
    near.add({"x": known.copy()})
    assert [each.severity for each in near.findings(100)] == ["error"]
    assert list(near.findings(100, range(100))) == []


def test_a_few_copies_in_a_part_of_the_data_are_no_proof() -> None:
    known, others = RANDOM.normal(size=(200, 64)), RANDOM.normal(size=(1000, 64))
    others[0] = known[0] + 1e-6
    assert searched(known, others, available=50_000) == (1, ["warning"])
    others[:4] = known[:4] + 1e-6
    assert searched(known, others, available=50_000) == (4, ["error"])
    assert searched(known, others, available=1000) == (4, ["warning"])


def test_several_inputs_are_one_sample() -> None:
    first, second = RANDOM.normal(size=(100, 16)), RANDOM.normal(size=(100, 16))
    near = NearCopies({"a": first, "b": second})
    near.add({"a": first + 1e-6, "b": second[::-1]})
    assert near.found == set()
    near.add({"a": first + 1e-6, "b": second + 1e-6})
    assert len(near.found) == 100


def test_where_samples_of_one_set_are_as_near_to_each_other_nothing_is_said_to_be_wrong() -> None:
    kinds = RANDOM.normal(size=(5, 16))
    known, others = kinds[RANDOM.integers(0, 5, 100)], kinds[RANDOM.integers(0, 5, 500)]
    assert searched(known, others)[1] == ["warning"]


def test_a_warning_names_the_calibration_samples() -> None:
    known = np.round(RANDOM.normal(size=(100, 64)), 1)
    near = NearCopies({"x": known})
    near.add({"x": known[[7, 40]]})
    (found,) = near.findings(100, (7,), [f"clip{at}.wav" for at in range(100)])
    assert found.message.startswith("1 of 100 calibration samples is nearly the same as an evaluation sample")
    assert found.message.endswith("such as clip40.wav")
