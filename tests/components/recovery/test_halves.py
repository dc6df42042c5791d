"""Ranges and tuning have no sample in common, and neither asks in which order the samples come."""

from __future__ import annotations

import numpy as np
import pytest

from litegate.errors import BadInput
from litegate.recovery.halves import FEWEST, halves

RNG = np.random.default_rng(17)
IMAGES = RNG.random((60, 3), np.float32)
AGES = RNG.random((60, 1), np.float32)


def rows(features: dict[str, np.ndarray]) -> list[bytes]:
    return [b"".join(features[name][i].tobytes() for name in features) for i in range(len(features["image"]))]


def test_each_sample_is_in_one_half() -> None:
    found, tuning = (half["main"] for half in halves({"main": {"image": IMAGES, "age": AGES}}, 17))
    assert len(rows(found)) == len(rows(tuning)) == 30
    assert set(rows(found)) | set(rows(tuning)) == set(rows({"image": IMAGES, "age": AGES}))


def test_the_order_of_the_samples_changes_nothing() -> None:
    turned = {"main": {"image": IMAGES[::-1], "age": AGES[::-1]}}
    for one, other in zip(halves({"main": {"image": IMAGES, "age": AGES}}, 17), halves(turned, 17), strict=True):
        assert rows(one["main"]) == rows(other["main"])


def test_another_seed_parts_them_otherwise() -> None:
    one, other = (halves({"main": {"image": IMAGES}}, seed)[0]["main"] for seed in (17, 18))
    assert set(rows(one)) != set(rows(other))


def test_a_copy_is_not_tuned_on_where_its_twin_found_ranges() -> None:
    twice = np.concatenate([IMAGES, IMAGES])
    found, tuning = (half["main"] for half in halves({"main": {"image": twice}}, 17))
    assert set(rows(found)).isdisjoint(rows(tuning))
    assert len(rows(found)) + len(rows(tuning)) == 120


def test_samples_that_are_the_same_count_once() -> None:
    few = np.repeat(IMAGES[: FEWEST - 1], 10, axis=0)
    with pytest.raises(BadInput, match=r"calibration.samples: expected at least 20 different samples .*, got 19"):
        halves({"main": {"image": few}}, 17)
