"""Findings about values and samples: each harmful kind of data is an error, and harmless ones are not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from litegate.lint.samples import coverage, leakage, numbers_of_samples
from litegate.lint.summary import Collector, Summary, digest_of
from litegate.lint.values import by_itself, compared

Array = np.ndarray[Any, np.dtype[Any]]


def summary(samples: Array) -> Summary:
    collector = Collector()
    for sample in samples:
        collector.add(sample)
    return collector.summary()


def photos(count: int, seed: int) -> Array:
    """Values as of pictures: blobs of different brightness and contrast, 0..1."""
    rng = np.random.default_rng(seed)
    base = rng.uniform(0.2, 0.8, (count, 1, 1, 3)) + rng.normal(0, 0.15, (count, 16, 16, 3))
    return np.clip(base, 0, 1).astype(np.float32)


GOOD = photos(1000, 1)


def outlier(value: float) -> Callable[[Array], Array]:
    def change(samples: Array) -> Array:
        samples[7, 3, 3, 1] = value
        return samples

    return change


def blank(count: int) -> Callable[[Array], Array]:
    def change(samples: Array) -> Array:
        samples[:count] = 0.5
        return samples

    return change


def half_still(samples: Array) -> Array:
    samples[:, :8] = 0.5
    return samples


@dataclass(frozen=True)
class Case:
    says: str
    change: Callable[[Array], Array]
    found: list[tuple[str, str]]
    samples: int = 200


CASES = [
    Case("fair samples", lambda x: x, []),
    Case("ten fair samples", lambda x: x, [], 10),
    Case("other channel order", lambda x: x[..., ::-1], []),
    Case("0..255 for 0..1", lambda x: x * 255, [("error", "scale")]),
    Case("1/255 of 0..1", lambda x: x / 255, [("error", "scale")]),
    Case("-1..1 for 0..1", lambda x: x * 2 - 1, [("error", "shift")]),
    Case("0.5..1 for 0..1", lambda x: x / 2 + 0.5, [("error", "shift")]),
    Case("inverted pictures of dark ones", lambda x: 1 - x / 3, [("error", "shift")]),
    Case("one value of 1e5", outlier(1e5), [("error", "outliers")]),
    Case("one value of -1e30", outlier(-1e30), [("error", "outliers")]),
    Case("one value somewhat too large", outlier(1.5), []),
    Case("all zeros", np.zeros_like, [("error", "constant")]),
    Case("denormals", lambda x: x * 1e-40, [("error", "scale")]),
    Case("all 128", lambda x: np.full_like(x, 128), [("error", "constant")]),
    Case("three blank pictures", blank(3), [("warning", "constant")]),
    Case("blank pictures of different brightness", lambda x: x * 0 + x[:, :1, :1, :1], [("error", "constant")]),
    Case("half of the contrast", lambda x: (x - 0.5) * 0.4 + 0.5, [("error", "clipped")]),
    Case("half of each picture never changes", half_still, [("warning", "constant_features")]),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
def test_values_that_spoil_calibration_are_found(case: Case) -> None:
    evaluation = summary(GOOD)
    calibration = summary(case.change(photos(case.samples, 2)))
    found = [*by_itself("x", calibration, evaluation), *compared("x", calibration, evaluation, True)]
    assert [(each.severity, each.code) for each in found] == case.found
    assert all(each.input == "x" and each.message and each.numbers for each in found)


@pytest.mark.parametrize("factor", [1 / 255, 1 / 127.5, 127.5, 255])
@pytest.mark.parametrize("offset", [0, -1])
def test_a_scale_error_is_caught_in_both_directions(factor: float, offset: float) -> None:
    one, other = summary(photos(200, 2) * factor + offset), summary(GOOD)
    for calibration, evaluation in ((one, other), (other, one)):
        (found,) = compared("x", calibration, evaluation, True)
        assert (found.severity, found.code) == ("error", "scale")
        assert "divided by 255 or 127.5" in found.message


def test_identifiers_of_another_range_are_only_a_warning() -> None:
    rng = np.random.default_rng(3)
    calibration, evaluation = summary(rng.integers(0, 20, (100, 8))), summary(rng.integers(0, 9000, (100, 8)))
    assert [each.severity for each in compared("ids", calibration, evaluation, False)] == ["warning"]


def test_an_input_that_is_always_constant_is_only_a_warning() -> None:
    one = summary(np.ones((50, 4), np.float32))
    assert [(each.severity, each.code) for each in by_itself("x", one, one)] == [("warning", "constant")]
    assert list(compared("x", one, one, True)) == []


def test_sparse_values_whose_tails_are_zero_are_no_outliers() -> None:
    rng = np.random.default_rng(4)

    def one_hot(count: int) -> Summary:
        samples = np.zeros((count, 5000), np.float32)
        samples[np.arange(count), rng.integers(0, 5000, count)] = 1
        return summary(samples)

    assert [each for each in compared("x", one_hot(200), one_hot(1000), True) if each.severity == "error"] == []


def test_the_summary_is_what_numpy_says_of_all_values_together() -> None:
    found = summary(GOOD)
    assert (found.samples, found.size) == (1000, 768)
    np.testing.assert_allclose([found.mean, found.std], [GOOD.mean(dtype=float), GOOD.std(dtype=float)], rtol=1e-9)
    np.testing.assert_allclose([found.low, found.high], [GOOD.min(), GOOD.max()])
    np.testing.assert_allclose(found.tails, np.quantile(GOOD, [0.001, 0.999]), atol=1e-3)


def test_samples_of_different_sizes_and_broken_ones_are_summed_up_too() -> None:
    collector = Collector()
    for value in (np.ones(3, np.float32), np.array([np.nan, 2], np.float32), np.full(2, np.inf, np.float32)):
        collector.add(value)
    found = collector.summary()
    assert (found.size, found.not_finite, found.low, found.high) == (0, (1, 2), 1, 2)


def test_digests_tell_content_names_and_types_apart() -> None:
    zero = np.zeros(4, np.float32)
    features = [{"a": zero}, {"b": zero}, {"a": zero[:3]}, {"a": zero.astype(int)}, {"a": zero.reshape(2, 2)}]
    assert len({digest_of(each) for each in features}) == 5
    assert digest_of({"a": zero, "b": zero + 1}) == digest_of({"b": zero + 1, "a": zero.copy()})


@pytest.mark.parametrize(
    ("distinct", "repeated", "expected"),
    [
        (200, 0, []),
        (100, 0, []),
        (99, 0, [("warning", "too_few")]),
        (10, 0, [("warning", "too_few")]),
        (9, 0, [("error", "too_few")]),
        (150, 2, [("warning", "duplicates")]),
        (1, 199, [("error", "too_few"), ("warning", "duplicates")]),
    ],
)
def test_samples_are_counted_once(distinct: int, repeated: int, expected: list[tuple[str, str]]) -> None:
    digests = [str(index).encode() for index in range(distinct)] + [b"0"] * repeated
    found = list(numbers_of_samples(digests, [f"s{index}" for index in range(len(digests))]))
    assert [(each.severity, each.code) for each in found] == expected
    if repeated:
        assert found[-1].numbers["repeated"] == repeated
        assert found[-1].samples[0] == "s0"
        assert len(found[-1].samples) <= 20


def test_classes_that_are_not_calibrated_are_named() -> None:
    (found,) = coverage({"cat": 3}, {"cat": 10, "dog": 10, "ant": 1})
    assert (found.severity, found.code) == ("warning", "labels")
    assert found.message == "2 of 3 classes of evaluation are not in calibration: ant, dog"
    assert list(coverage({}, {"cat": 1})) == []
    assert list(coverage({"cat": 1, "dog": 1}, {"cat": 1})) == []


@pytest.mark.parametrize(("overlap", "severity"), [(0, None), (1, "warning"), (5, "warning"), (6, "error")])
def test_a_few_samples_in_both_sets_are_a_warning_and_many_an_error(overlap: int, severity: str | None) -> None:
    found = list(leakage({f"c{index}": f"e{index}" for index in range(overlap)}, 100, 500, 1000))
    assert [each.severity for each in found] == ([severity] if severity else [])
    if found:
        assert found[0].samples[0] == "c0 = e0"
        assert "500 of its 1,000 samples were searched" in found[0].message
