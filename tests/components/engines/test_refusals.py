"""What the converter's 16x8 refuses is named by operator and layer, as far as the float32 file tells."""

from __future__ import annotations

import numpy as np
import pytest

from litegate.engines.refusals import in_words
from litegate.inspection import File, Operator
from litegate.inspection.flatbuffer import Graph, Tensor
from litegate.inspection.layers import layer_of, layers_of

NOTHING = np.zeros(0)
REFUSED = "RuntimeError: Quantization to 16x8-bit not yet supported for op: '{}'."
IDS = "Empty min/max for tensor serving_default_ids:0"


def tensor(name: str, index: int = 0, kind: str = "float32") -> Tensor:
    return Tensor(index, name, kind, (1, 4), 0, None, NOTHING, NOTHING, 0, False)


def operator(name: str, gives: str, *takes: Tensor, custom: bool = False) -> Operator:
    return Operator(name, custom, f"{name} #0 of main", takes, (tensor(gives, 100),))


def model(*operators: Operator) -> File:
    tensors = {each.index: each for one in operators for each in one.tensors}
    return File(0, (Graph("main", tuple(tensors.values()), operators),), 0)


@pytest.mark.parametrize(
    ("gives", "layer"),
    [
        ("functional_1/stem/convolution", "functional_1/stem"),
        ("sequential/head/Relu;sequential/head/BiasAdd", "sequential/head"),
        ("tower/block_2/attention/einsum/Einsum4", "tower/block_2/attention/einsum"),
        ("functional_1/Imag", ""),
        ("StatefulPartitionedCall_1:0", ""),
        ("PartitionedCall/sequential_3/Sin", "PartitionedCall/sequential_3"),
        ("serving_default_x:0", ""),
    ],
)
def test_a_layer_is_the_scope_of_what_an_operator_gives(gives: str, layer: str) -> None:
    assert layer_of(operator("ADD", gives)) == layer


def test_many_layers_are_counted() -> None:
    assert layers_of([operator("ADD", "StatefulPartitionedCall:0")]) == ""
    assert layers_of(operator("ADD", f"m/{name}/add") for name in "aabbc") == "layers m/a, m/b, m/c"
    assert layers_of(operator("ADD", f"m/{name}/add") for name in "abcde") == "layers m/a, m/b, m/c and 2 more"


def test_operators_without_a_kernel_are_named_with_their_layers() -> None:
    video = model(
        operator("CONV_3D", "net/first/conv"),
        operator("RELU", "net/first/relu"),
        operator("CONV_3D", "net/second/conv"),
    )
    said = in_words(REFUSED.format("CONV_3D"), video)
    assert said.startswith("CONV_3D (layers net/first, net/second) cannot compute on 16-bit activations; take int16x8_")
    assert said.endswith(f"({REFUSED.format('CONV_3D')})")


def test_a_custom_operator_is_called_by_its_name() -> None:
    head = model(operator("ADD", "net/add"), operator("TFLite_Detection_PostProcess", "Stateful:0", custom=True))
    said = in_words(REFUSED.format("CUSTOM"), head)
    assert said.startswith("TFLite_Detection_PostProcess cannot compute on 16-bit activations")


def test_an_operator_that_the_float_file_does_not_have_is_named_as_the_converter_does() -> None:
    assert in_words(REFUSED.format("SQRT"), model()).startswith("SQRT cannot compute on 16-bit activations")


def test_what_computes_with_ids_is_named_with_its_layer() -> None:
    ids = tensor("serving_default_ids:0", 0, "int32")
    words = model(operator("LESS", "net/words/Less", ids), operator("GATHER", "net/words/GatherV2", ids))
    assert "the int32 input ids have none: LESS (layer net/words) compute with it; take int8" in in_words(IDS, words)


def test_any_other_reason_is_quoted() -> None:
    assert in_words("ValueError: no\n  idea", model()) == "ValueError: no idea"
