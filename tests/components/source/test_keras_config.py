"""What an architecture may not ask for."""

from __future__ import annotations

from typing import Any

import pytest

from litegate.errors import ModelError
from litegate.source.keras_config import check_config


def layer(
    kind: str, module: str | None = "keras.layers", registered: str | None = None, **values: Any
) -> dict[str, Any]:
    return {"module": module, "class_name": kind, "registered_name": registered, "config": {"name": "mine"} | values}


def model(*layers: dict[str, Any]) -> dict[str, Any]:
    return {"class_name": "Sequential", "config": {"name": "model", "layers": list(layers)}}


BAD = [
    (layer("Lambda"), "the Lambda layer 'mine', which is pickled code"),
    (layer("Bidirectional", layer=layer("Lambda")), "the Lambda layer 'mine'"),
    (layer("Dense", activation={"class_name": "__lambda__", "config": {"value": "4wEAAAAA"}}), "pickled code"),
    (layer("TFSMLayer", filepath="/elsewhere"), "the TFSMLayer 'mine', which reads another one"),
    (layer("StringLookup", vocabulary="/etc/passwd"), "the StringLookup 'mine', which reads another one"),
    (layer("system", module="os"), "the custom class 'os.system'"),
    (layer("Mine", module=None, registered="Mine"), "the custom class 'Mine'"),
    (layer("Mine", registered="package>Mine"), "the custom class 'package>Mine'"),
    ({"class_name": "package>Mine", "config": {}}, "the custom class 'package>Mine'"),
    (
        layer("Dense", units=101),
        "at most as many units as the file has weights (100), got units 101 of the Dense",
    ),
    (layer("Embedding", input_dim=10**12, output_dim=2), "input_dim 1,000,000,000,000 of the Embedding layer 'mine'"),
]


WRAPPED = [
    (layer("PruneLowMagnitude", module=None), "tfmot.sparsity.keras.strip_pruning(model)"),
    ({"class_name": "PruneLowMagnitude", "config": {"name": "mine"}}, "tfmot.sparsity.keras.strip_pruning(model)"),
    ({"class_name": "ClusterWeights", "config": {"name": "mine"}}, "tfmot.clustering.keras.strip_clustering(model)"),
    (layer("QuantizeWrapperV2", module="tensorflow_model_optimization.python"), "Save the float model"),
    ({"class_name": "QuantizeLayer", "config": {"name": "mine"}}, "Save the float model"),
    (layer("Mine", module="package"), "Export it where the class is known"),
]


@pytest.mark.parametrize(("bad", "cure"), WRAPPED)
def test_a_class_that_is_not_keras_own_is_named_with_its_layer_and_the_cure(bad: dict[str, Any], cure: str) -> None:
    with pytest.raises(ModelError) as caught:
        check_config(model(bad), 100, "model.uri x")
    first, second = str(caught.value).splitlines()
    assert bad["class_name"] in first
    assert "layer 'mine'" in first
    assert cure in second


def test_a_wrapper_is_named_with_the_layer_that_it_is_around() -> None:
    inner = {"module": "tf_keras.layers", "class_name": "Dense", "config": {"name": "head", "units": 3}}
    module = "tensorflow_model_optimization.python.core.quantization.keras.quantize_annotate"
    bad = {
        "module": module,
        "class_name": "QuantizeAnnotate",
        "config": {"name": "quantize_annotate_5", "layer": inner},
    }
    with pytest.raises(ModelError, match=r"'QuantizeAnnotate', layer 'quantize_annotate_5' around 'head'\nIt was prep"):
        check_config(model(bad), 100, "model.uri x")


@pytest.mark.parametrize(("bad", "message"), BAD)
def test_code_files_and_impossible_sizes_are_refused(bad: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError) as caught:
        check_config(model(layer("Dense", units=3), bad), 100, "model.uri x")
    assert message in str(caught.value)


GOOD = [
    layer("Dense", units=100, activation="relu", dtype={"module": "keras", "class_name": "DTypePolicy", "config": {}}),
    layer("Dense", activation={"module": "builtins", "class_name": "function", "config": "relu"}),
    layer("StringLookup", vocabulary=["a", "b"]),
    {"class_name": "Dense", "config": {"name": "keras 2", "units": 4}},
]


@pytest.mark.parametrize("good", GOOD)
def test_what_keras_writes_itself_is_not(good: dict[str, Any]) -> None:
    check_config(model(good), 100, "model.uri x")
