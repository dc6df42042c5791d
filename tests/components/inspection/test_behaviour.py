"""What is said of answers: constant, repeatable, and how far kernels may be apart."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from litegate.inspection.behaviour import KernelGap, answers, is_constant, kernel_gap, problem_of, unequal
from litegate.runtimes.litert import LiteRTModel


def test_constant_means_every_output_of_every_sample() -> None:
    moving, still = np.arange(6.0).reshape(3, 2), np.ones((3, 2))
    assert is_constant({"a": still, "b": still})
    assert not is_constant({"a": still, "b": moving})


def test_answers_are_compared_bit_by_bit_on_the_samples_that_both_have() -> None:
    first = {"a": np.array([[1.0], [2.0], [3.0]]), "b": np.array([[np.nan], [0.0], [0.0]])}
    fewer = {"a": first["a"][:2], "b": first["b"][:1]}
    assert unequal(first, fewer) == unequal(fewer, first) == []
    assert unequal(first, {"a": first["a"][:2] + 1e-9, "b": -first["b"]}) == ["a", "b"]


def test_kernels_are_compared_on_the_samples_that_both_have() -> None:
    few, many = {"a": np.arange(4.0).reshape(2, 2)}, {"a": np.arange(12.0).reshape(6, 2)}
    assert kernel_gap(few, many) == kernel_gap(many, few) == KernelGap(2, 0.0, None)


@dataclass(frozen=True, kw_only=True)
class Row:
    id: str
    gap: KernelGap
    in_float: bool = False
    odd: bool = False
    broken: bool = False


ROWS = (
    Row(id="ResNet-8 in int8", gap=KernelGap(32, 0.0078, 0.94)),
    Row(id="an int8 model that was never trained", gap=KernelGap(32, 0.026, 1.0)),
    Row(id="ResNet-8 in float32", gap=KernelGap(32, 3e-6, 1.0), in_float=True),
    Row(id="at the limit in float", gap=KernelGap(32, 1e-3, 1.0), in_float=True),
    Row(id="beyond it", gap=KernelGap(32, 1.1e-3, 1.0), in_float=True, odd=True, broken=True),
    Row(id="other predictions by small steps", gap=KernelGap(32, 0.01, 0.8), odd=True),
    Row(id="far, with the same predictions", gap=KernelGap(32, 0.06, 0.95), odd=True),
    Row(id="far, with other predictions", gap=KernelGap(32, 0.06, 0.8), odd=True, broken=True),
    Row(id="far, without predictions", gap=KernelGap(32, 0.06, None), odd=True),
    Row(id="nothing in common", gap=KernelGap(32, 0.21, None), odd=True, broken=True),
    Row(id="NaN on one side", gap=KernelGap(32, float("inf"), None), odd=True, broken=True),
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_kernels_may_be_a_little_apart(row: Row) -> None:
    problem, broken = problem_of(row.gap, row.in_float)
    assert (problem is not None, broken) == (row.odd, row.broken)


def test_the_gap_is_that_of_the_median_sample_in_the_worst_output() -> None:
    default = {"scores": np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]), "other": np.zeros((3, 4, 4))}
    reference = {name: value.copy() for name, value in default.items()}
    reference["scores"][0] = [0.9, 0.1]
    gap = kernel_gap(default, reference)
    assert (gap.samples, gap.difference, gap.agreement) == (3, 0.0, None)
    reference["other"] += 0.5
    assert kernel_gap(default, reference).difference == 0.5
    reference["other"][:] = np.nan
    assert kernel_gap(default, reference).difference == float("inf")


def test_the_gap_is_over_the_samples_that_the_slow_kernels_came_to() -> None:
    default = {"y": np.arange(8.0).reshape(4, 2)}
    assert kernel_gap(default, {"y": default["y"][:2]}).samples == 2


@pytest.mark.e2e
@pytest.mark.parametrize("variant", ["float32", "dynamic_range", "int8", "int16x8"])
def test_real_kernels_are_near_and_answers_stop_in_time(inspected: Path, variant: str) -> None:
    content = (inspected / f"many.{variant}.tflite").read_bytes()
    with np.load(inspected / "samples.npz") as arrays:
        features = {"image": arrays["image"]}
    found = answers(LiteRTModel(content), features, seconds=60)
    reference = answers(LiteRTModel(content, reference_kernels=True), features, seconds=0)
    gap = kernel_gap(found, reference)
    assert (len(next(iter(found.values()))), gap.samples) == (24, 2)
    assert problem_of(gap, variant == "float32") == (None, False)


@pytest.mark.e2e
@pytest.mark.parametrize("variant", ["float32", "int8"])
def test_a_recurrent_network_begins_anew_with_each_sample(inspected: Path, variant: str) -> None:
    model = LiteRTModel((inspected / f"lstm.{variant}.tflite").read_bytes())
    with np.load(inspected / "samples.npz") as arrays:
        wave = arrays["wave"]
    found = model.predict({"x": wave})
    again = model.predict({"x": wave[::-1]})
    assert not is_constant(found)
    for name, value in found.items():
        assert (value == again[name][::-1]).all()
