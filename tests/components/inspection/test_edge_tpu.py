"""The published rules of the Edge TPU on files: what it would leave to the CPU, and which tensors it does not take."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from litegate.inspection.edge_tpu import OPERATORS, edge_tpu_breaches
from litegate.inspection.flatbuffer import File, Graph, Operator, Tensor, read_file

NOTHING = np.zeros(0)


def tensor(index: int, kind: str = "int8", shape: tuple[int, ...] = (1, 8)) -> Tensor:
    return Tensor(index, f"t{index}", kind, shape, 0, None, NOTHING, NOTHING, 0, False)


def file(*names: str, last: Tensor | None = None, graphs: int = 1) -> File:
    """A chain of operators."""
    tensors = [tensor(place) for place in range(len(names))] + [last or tensor(len(names))]
    chain = tuple(
        Operator(name, False, f"{name} #{place} of main", (tensors[place],), (tensors[place + 1],))
        for place, name in enumerate(names)
    )
    main = Graph("main", tuple(tensors), chain)
    return File(0, (main, *(Graph("body", (), ()) for _ in range(graphs - 1))), 0)


def found(given: File) -> dict[str, str]:
    return {breach.code: breach.message for breach in edge_tpu_breaches(given)}


def test_a_file_that_keeps_the_rules_has_no_finding() -> None:
    assert found(file("CONV_2D", "MAX_POOL_2D", "RESHAPE", "FULLY_CONNECTED", "SOFTMAX")) == {}


def test_from_the_first_operator_that_stays_behind_all_do() -> None:
    (message,) = found(file("CONV_2D", "SHAPE", "CONV_2D", "GELU", "SOFTMAX")).values()
    assert message.startswith("left to the CPU: SHAPE, GELU, and what follows the first of them, 3 operators, ")


@pytest.mark.parametrize(
    ("last", "code", "said"),
    [
        (tensor(9, "int16"), "edgetpu_type", "a tensor of int16: int8 and uint8 alone are computed on"),
        (tensor(9, "float32"), "edgetpu_type", "a tensor of float32"),
        (tensor(9, shape=(2, 4, 4, 3)), "edgetpu_rank", r"shape [2, 4, 4, 3]: only the 3 innermost may be above 1"),
        (tensor(9, shape=(1, -1, 3)), "edgetpu_dynamic", r"shape [1, -1, 3]: sizes must be known"),
    ],
    ids=["int16", "float32", "rank", "dynamic"],
)
def test_tensors_that_it_does_not_take(last: Tensor, code: str, said: str) -> None:
    assert said in found(file("CONV_2D", last=last))[code]


def test_four_dimensions_of_which_the_first_is_one_are_fine() -> None:
    assert found(file("CONV_2D", last=tensor(9, shape=(1, 8, 8, 3)))) == {}


def test_only_one_subgraph_is_compiled() -> None:
    assert "2 subgraphs, of which only the first is compiled" in found(file("CONV_2D", graphs=2))["edgetpu_subgraphs"]


def test_it_is_called_a_check_of_rules() -> None:
    assert all("by the published rules" in message for message in found(file("SHAPE", graphs=2)).values())


def test_what_is_said_of_it_is_never_an_error() -> None:
    given = file("SHAPE", last=tensor(9, "int16"), graphs=2)
    assert {breach.severity for breach in edge_tpu_breaches(given)} == {"warning"}


@pytest.mark.e2e
def test_real_files_are_told_apart(inspected: Path) -> None:
    """A model of any batch asks for its shape in the midst, which no Edge TPU does."""
    integer, real = (read_file((inspected / f"many.{name}.tflite").read_bytes()) for name in ("int8", "float32"))
    names = {operator.name for operator in integer.operators()}
    left = {breach.code for breach in edge_tpu_breaches(integer)}
    assert ("edgetpu_operators" in left) == bool(names - OPERATORS)
    assert "edgetpu_type" in {breach.code for breach in edge_tpu_breaches(real)}
