"""Biases that take back what rounding does on average."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from litegate.recovery.bias_correction import Means, corrected
from litegate.recovery.graph import CHANNEL_OUT, Graph, packed, unpacked

pytestmark = pytest.mark.e2e
KEY = "serving_default"


@pytest.fixture
def float32(collapsing: Path) -> bytes:
    return (collapsing / "steady.tflite").read_bytes()


@pytest.fixture
def means(collapsing: Path) -> Means:
    with np.load(collapsing / "calibration.npz") as arrays:
        return Means(KEY, 0, {"image": arrays["image"]}, 1)


def layers(graph: Graph) -> list[int]:
    return [number for number in range(len(graph.graph.operators)) if graph.kind(number) in CHANNEL_OUT]


def shifted(content: bytes) -> bytes:
    """What a quantizer does that adds a hundredth to every weight of the layers: each gives another mean."""
    model = unpacked(content)
    graph = Graph(model, 0)
    for number in layers(graph):
        weights = graph.constant(number, 1)
        assert weights is not None
        graph.replace(number, 1, weights + 0.01)
    return packed(model)


def far(content: bytes, float32: bytes, means: Means) -> dict[str, float]:
    graph = Graph(unpacked(float32), 0)
    names = {graph.output(number) for number in layers(graph)}
    ours, theirs = means.of(content, names), means.of(float32, names)
    return {name: float(np.abs(ours[name] - theirs[name]).mean()) for name in names}


def test_each_layer_has_the_mean_that_it_has_in_float(float32: bytes, means: Means) -> None:
    before = far(shifted(float32), float32, means)
    found = corrected(float32, shifted, means, lambda: True)
    assert found is not None
    after = far(shifted(found[0]), float32, means)
    assert found[1] == len(after) == 5
    for name, distance in after.items():
        assert distance < 0.5 * before[name], name


def test_weights_are_as_they_were(float32: bytes, means: Means) -> None:
    found = corrected(float32, shifted, means, lambda: True)
    assert found is not None
    graphs = [Graph(unpacked(each), 0) for each in (found[0], float32)]
    for number in layers(graphs[0]):
        ours, theirs = (graph.constant(number, 1) for graph in graphs)
        assert np.array_equal(ours, theirs)


def test_without_time_for_all_layers_nothing_is_corrected(float32: bytes, means: Means) -> None:
    left = iter([True, True, False])
    assert corrected(float32, shifted, means, lambda: next(left)) is None


def test_it_costs_no_byte_and_is_there_only_where_it_helps(search: Callable[..., Any]) -> None:
    wanted = {"correct_bias": True, "max_steps": 1, "may_use": ["int16x8"], "limit": 0.0}
    _, found = search(**wanted)
    assert found.correction is not None
    assert found.made_from == found.correction.file
    assert (found.after.loss, found.after.error) < (found.correction.before.loss, found.correction.before.error)
    assert found.after.bytes == found.correction.before.bytes
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("litegate.recovery.recovering.corrected", lambda float32, *_: (float32, 1))
        _, found = search(**wanted)
    assert (found.correction, found.made_from) == (None, None)
