"""Channels brought to like ranges: between which layers, without a change in float, and what it brings in 8 bits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from litegate.recovery import equalizing
from litegate.recovery.equalization import pairs_of
from litegate.recovery.equalizing import Equalized, equalize
from litegate.recovery.tuning import relative_error
from litegate.runtimes.activations import Activations
from litegate.runtimes.litert import LiteRTModel
from tests.components.runtimes.altered import altered

KEY = "serving_default"


@pytest.fixture
def float32(collapsing: Path) -> bytes:
    return (collapsing / "collapsing.tflite").read_bytes()


@pytest.fixture
def images(collapsing: Path) -> Any:
    with np.load(collapsing / "calibration.npz") as arrays:
        return arrays["image"]


def spread(content: bytes, images: Any) -> float:
    """How much larger the largest channel between the two layers is than the median one."""
    name = pairs_of(content)[1].tensor
    (values,) = Activations(content, KEY, 0, [name]).run({"image": images}).values()
    largest = np.abs(values).reshape(-1, values.shape[-1]).max(axis=0)
    return float(largest.max() / np.median(largest))


def test_layers_that_follow_each_other_are_pairs_through_a_pooling_too(float32: bytes) -> None:
    kinds = [(pair.giving, pair.taking) for pair in pairs_of(float32)]
    assert kinds == [(0, 1), (1, 3), (8, 9)], "not through the Flatten, where a channel is many inputs"


def test_the_channels_are_alike_and_the_model_is_the_same(float32: bytes, images: Any) -> None:
    found = equalize(float32, KEY, 0, {"image": images}, 1)
    assert found is not None
    assert spread(float32, images) > 100
    assert spread(found.content, images) < 20
    before, after = (LiteRTModel(each).predict({"image": images}) for each in (float32, found.content))
    (name,) = before
    assert found.difference == relative_error(after[name], before[name]) < 1e-5
    assert len(found.content) == len(float32)


def test_what_would_change_the_model_is_not_done(float32: bytes, images: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(equalizing, "TOLERANCE", 0.0)
    assert equalize(float32, KEY, 0, {"image": images}, 1) is None


def bounded(model: Any) -> None:
    """An activation that ends at 6 is another one for other scales."""
    model.subgraphs[0].operators[1].builtinOptions.fusedActivationFunction = schema.ActivationFunctionType.RELU6


def seen(model: Any) -> None:
    """What the second layer gives is an output as well."""
    graph = model.subgraphs[0]
    graph.outputs = [*graph.outputs, graph.operators[1].outputs[0]]


def shared(model: Any) -> None:
    """The weights of the third layer are those of another tensor too."""
    graph = model.subgraphs[0]
    graph.tensors[graph.operators[8].inputs[1]].buffer = graph.tensors[graph.operators[3].inputs[1]].buffer


@pytest.mark.parametrize("change", [bounded, seen, shared])
def test_a_tensor_that_means_more_than_its_next_layer_is_left_alone(
    float32: bytes, change: Callable[[Any], None]
) -> None:
    pairs = [(pair.giving, pair.taking) for pair in pairs_of(altered(float32, change))]
    assert (1, 3) not in pairs
    assert (0, 1) in pairs


def test_without_pairs_there_is_nothing_to_equalize(float32: bytes, images: Any) -> None:
    def everything(model: Any) -> None:
        for operator in model.subgraphs[0].operators:
            if hasattr(operator.builtinOptions, "fusedActivationFunction"):
                operator.builtinOptions.fusedActivationFunction = schema.ActivationFunctionType.TANH

    assert equalize(altered(float32, everything), KEY, 0, {"image": images}, 1) is None


@pytest.mark.e2e
def test_it_costs_no_byte_and_saves_the_search(search: Callable[..., Any], lost: Callable[[bytes], float]) -> None:
    content, found = search(equalize=True)
    assert found.equalization is not None
    assert found.equalization.before.loss > 0.1
    assert (found.met, found.precisions, found.steps) == (True, (), ())
    assert found.after.bytes == found.equalization.before.bytes
    assert lost(content) < 1


@pytest.mark.e2e
def test_where_it_does_not_help_it_is_not_there(search: Callable[..., Any], collapsing: Path) -> None:
    worse = Equalized((collapsing / "collapsing.tflite").read_bytes(), 1, 0.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("litegate.recovery.recovering.equalize", lambda *_: worse)
        _, found = search(equalize=True)
    assert found.equalization is None


@pytest.mark.e2e
def test_where_it_cannot_be_quantized_the_search_begins_without_it(search: Callable[..., Any]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("litegate.recovery.recovering.equalize", lambda *_: Equalized(b"no model", 1, 0.0))
        _, found = search(equalize=True)
    assert found.equalization is None
    assert found.met
