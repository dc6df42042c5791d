"""Names of inputs and outputs, in whatever structure a model has them."""

from __future__ import annotations

from typing import Any

import pytest

from litegate.source.structures import input_name, natural, outputs_by_name

STRUCTURES: list[tuple[Any, dict[str, Any]]] = [
    (7, {"output_0": 7}),
    ([5], {"output_0": 5}),
    ([1, (2, 3)], {"output_0": 1, "output_1": 2, "output_2": 3}),
    ({"b": 1, "a": 2}, {"a": 2, "b": 1}),
    ({"boxes": [1, 2], "head": {"x": 3}}, {"boxes_0": 1, "boxes_1": 2, "head_x": 3}),
    (({"p": 1}, 2), {"output_0_p": 1, "output_1": 2}),
    ({"a": 1, "b": None}, {"a": 1}),
]


@pytest.mark.parametrize(("outputs", "names"), STRUCTURES)
def test_outputs_have_the_names_of_the_signature(outputs: Any, names: dict[str, Any]) -> None:
    assert outputs_by_name(outputs) == names


def test_eleven_outputs_are_numbered_in_their_order() -> None:
    found = outputs_by_name(list(range(12)))
    assert found == {f"output_{number}": number for number in range(12)}
    assert sorted(found, key=natural) == list(found)


def test_two_outputs_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="the same name, of a_b, a_b"):
        outputs_by_name({"a_b": 1, "a": {"b": 2}})


@pytest.mark.parametrize(("tensor", "name"), [("image:0", "image"), ("my input", "my_input"), ("my-row", "my-row")])
def test_an_input_has_a_name_that_tensorflow_takes(tensor: str, name: str) -> None:
    assert input_name(tensor) == name
