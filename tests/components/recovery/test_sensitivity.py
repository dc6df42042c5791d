"""Noise by operator: what it is of tensors whose errors are known, and where real files have it."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from litegate.inspection.tflite import describe_unopened
from litegate.recovery.network import Network, network_of
from litegate.recovery.sensitivity import Noise, Sensitivity, Sums, ranks
from litegate.recovery.tuning import Tuner, relative_error


def sums(ours: list[list[float]], theirs: list[list[float]]) -> Sums:
    found = Sums()
    for row, other in zip(ours, theirs, strict=True):
        found.add(np.array([row]), np.array([other]))
    return found


def test_each_channel_counts_the_same() -> None:
    theirs = [[1000.0, 1.0], [1000.0, 1.0]]
    assert sums([[1000.0, 0.0], [1000.0, 0.0]], theirs).share == pytest.approx(0.5)
    assert sums([[1000.0, 0.9], [1000.0, 0.9]], theirs).share == pytest.approx(0.005)


def test_the_noise_of_a_channel_is_at_most_its_signal() -> None:
    assert sums([[9.0, 2.0]], [[1.0, 2.0]]).share == pytest.approx(0.5)


def test_a_channel_that_is_silent_in_both_does_not_count() -> None:
    assert sums([[0.0, 1.0]], [[0.0, 2.0]]).share == pytest.approx(0.25)
    assert sums([[0.5, 2.0]], [[0.0, 2.0]]).share == pytest.approx(0.5), "noise where there was nothing"
    assert sums([[0.0]], [[0.0]]).share == 0.0


def test_the_error_is_the_root_of_the_mean_square() -> None:
    assert sums([[3.0, 0.0], [0.0, 4.0]], [[0.0, 0.0], [0.0, 0.0]]).error == pytest.approx(2.5)


@pytest.mark.parametrize(("share", "decibels"), [(0.1, 10), (0.001, 30), (1.0, 0)])
def test_the_ratio_is_in_decibels(share: float, decibels: float) -> None:
    assert Noise(share, 0.0, None).snr_db == pytest.approx(decibels)


def test_without_noise_the_ratio_is_infinite() -> None:
    assert Noise(0.0, 0.0, None).snr_db == math.inf


def test_the_worst_stands_first_and_equal_ones_in_their_order() -> None:
    assert ranks({0: Noise(0.1, 0.1, None), 1: Noise(0.5, 0.4, None), 2: Noise(0.9, 0.1, None)}) == [1, 0, 2]


def test_errors_are_shares_of_what_float32_gives() -> None:
    assert relative_error(np.array([3.0, 5.0]), np.array([3.0, 4.0])) == pytest.approx(0.2)
    assert relative_error(np.zeros(2), np.zeros(2)) == 0
    assert relative_error(np.ones(2), np.zeros(2)) == relative_error(np.array([np.nan]), np.ones(1)) == 1e9


def features(collapsing: Path) -> dict[str, np.ndarray]:
    with np.load(collapsing / "calibration.npz") as arrays:
        return {"image": arrays["image"]}


def named(network: Network, number: int) -> str:
    return network.nodes[number].address[0]


@pytest.mark.e2e
def test_regions_go_through_what_has_no_weights(collapsing: Path) -> None:
    network = network_of((collapsing / "collapsing.tflite").read_bytes(), "serving_default")
    spread = next(i for i, node in enumerate(network.nodes) if "spread" in node.layer)
    alone, after, before = ([named(network, i) for i in sorted(region)] for region in network.regions(spread))
    assert alone == ["CONV_2D"]
    assert after == ["CONV_2D", "MAX_POOL_2D", "CONV_2D"]
    assert before == ["CONV_2D", "CONV_2D"]
    assert network.nodes[spread].weights == 4 * 3 * 3 * 8 * 16


@pytest.mark.e2e
def test_operators_that_give_no_real_values_are_not_asked(collapsing: Path) -> None:
    network = network_of((collapsing / "collapsing.tflite").read_bytes(), "serving_default")
    assert {named(network, i) for i in range(len(network.nodes))}.isdisjoint({"SHAPE", "STRIDED_SLICE", "PACK"})


@pytest.mark.e2e
def test_float32_has_no_noise_against_itself(collapsing: Path) -> None:
    content = (collapsing / "collapsing.tflite").read_bytes()
    network = network_of(content, "serving_default")
    found = Sensitivity(content, network, features(collapsing), "serving_default", 1).noise(content)
    assert set(found) == set(range(len(network.nodes)))
    assert all((noise.share, noise.added, noise.error) == (0, 0, None) for noise in found.values())
    (signature,) = describe_unopened(content)
    tuned = Tuner(content, features(collapsing), signature, None, True).measure(content)
    assert (tuned.disagreement, tuned.error, tuned.bytes) == (0, 0, len(content))


@pytest.mark.e2e
def test_without_classes_outputs_are_compared(collapsing: Path) -> None:
    steady, content = ((collapsing / f"{name}.tflite").read_bytes() for name in ("steady", "collapsing"))
    tuned = Tuner(steady, features(collapsing), "serving_default", None, False).measure(content)
    assert tuned.disagreement is None
    assert tuned.loss == tuned.error < 1e-3, "the same function in float32"
