"""What the operators of the float32 file tell of the model."""

from __future__ import annotations

import pytest

from litegate.errors import ModelError
from litegate.records import Signature, TensorSpec
from litegate.source.converted import check_tensors, lacks_values

FILES = [
    ({"CONV_2D", "SOFTMAX"}, False),
    ({"VAR_HANDLE", "READ_VARIABLE", "CONV_2D"}, True),
    ({"VAR_HANDLE", "READ_VARIABLE", "CALL_ONCE", "ASSIGN_VARIABLE"}, False),
]


@pytest.mark.parametrize(("found", "lacking"), FILES, ids=str)
def test_variables_that_are_read_and_never_set_lack_their_values(found: set[str], lacking: bool) -> None:
    assert lacks_values(found) is lacking


TENSORS = [
    ("output", TensorSpec(shape=(-1,), dtype="bytes"), "the output 'odd' of the signature serve, of type bytes"),
    ("input", TensorSpec(shape=(-1, 1), dtype="bytes"), "the input 'odd' of the signature serve, of type bytes"),
]


@pytest.mark.parametrize(("side", "odd", "said"), TENSORS)
def test_what_is_no_number_is_refused_with_its_name(side: str, odd: TensorSpec, said: str) -> None:
    usual = {"x": TensorSpec(shape=(-1, 4), dtype="float32")}
    tensors = {"inputs": usual, "outputs": usual}
    check_tensors({"serve": Signature(**tensors)}, "model.uri m")
    tensors[f"{side}s"] = usual | {"odd": odd}
    with pytest.raises(ModelError, match=said):
        check_tensors({"serve": Signature(**tensors)}, "model.uri m")
