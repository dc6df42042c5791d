"""What the float32 file tells of the model: one whose answer does not follow from its input alone cannot be judged."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from pathlib import Path

from litegate.errors import ModelError
from litegate.records import Signature
from litegate.source.causes import RANDOM, custom_class, wrapper_of
from litegate.source.graph import Node
from litegate.source.saved_model import graphs_of

__all__ = ["check_converted", "check_tensors", "lacks_values"]

_NUMBERS = ("bool", "int", "uint", "float")

_RANDOM_IN_FILE = frozenset({"RANDOM_UNIFORM", "RANDOM_STANDARD_NORMAL", "MULTINOMIAL"})
_ASSIGNS = re.compile(r"Assign(Add|Sub)?VariableOp|Resource(Apply|Scatter|StridedSliceAssign).*")


def lacks_values(found: Set[str]) -> bool:
    """Whether a file with these operators reads variables that nothing gives values."""
    return "VAR_HANDLE" in found and "ASSIGN_VARIABLE" not in found


def check_converted(saved_model: Path, found: Set[str], where: str) -> None:
    """Refuse a model that draws random numbers, keeps state, or lacks the values of its variables.

    Args:
        saved_model: what was converted.
        found: the operators of the float32 file.
        where: the spec key and the URI, for messages.

    Raises:
        ModelError: it is such a model; the operator is named.
    """
    if drawn := sorted(found & _RANDOM_IN_FILE):
        expected = "a model whose answer follows from its input alone"
        node = _first(saved_model, RANDOM, where)
        place = _said(node) if node else drawn[0]
        raise ModelError(where, expected, f"one that draws random numbers: {place}\n{_WITHOUT_RANDOM}")
    if "VAR_HANDLE" not in found:
        return
    if node := _first(saved_model, _ASSIGNS, where):
        raise _keeps_state(node, where)
    if lacks_values(found):
        expected = (
            "a SavedModel that holds the values of its variables (Keras: model.export(), not tf.saved_model.save)"
        )
        raise ModelError(where, expected, "READ_VARIABLE of variables that nothing initializes in the float32 file")


def check_tensors(signatures: Mapping[str, Signature], where: str) -> None:
    """Refuse a model with inputs or outputs that are no numbers.

    Raises:
        ModelError: one is not; it is named.
    """
    for key, signature in signatures.items():
        for side, tensors in (("input", signature.inputs), ("output", signature.outputs)):
            for name, tensor in tensors.items():
                found = f"the {side} {name!r} of the signature {key}"
                if not tensor.dtype.startswith(_NUMBERS):
                    raise ModelError(
                        where, "inputs and outputs of numbers", f"{found}, of type {tensor.dtype}\n{_WITHOUT_TEXT}"
                    )


_WITHOUT_TEXT = "Save the model without it: from its ids onward, and to the numbers of its classes."
_WITHOUT_RANDOM = "Save the model without it, or for inference: training=False, and no layer called with training=True."
_WITHOUT_STATE = "Save the model with its state as a further input and output, or without updating it."


def _keeps_state(node: Node, where: str) -> ModelError:
    if wrapped := wrapper_of(node.name):
        kind, layer = wrapped
        expected = "a model without the wrappers of a tool that trained it"
        return ModelError(where, expected, f"the wrapper {kind!r}, layer {layer!r}\n{custom_class(kind)}")
    expected = "a model whose answer follows from its input alone"
    found = f"one that keeps state from one sample to the next: {_said(node)}\n{_WITHOUT_STATE}"
    return ModelError(where, expected, found)


def _said(node: Node) -> str:
    return f"{node.operator}, node {node.name!r}"


def _first(saved_model: Path, wanted: re.Pattern[str], where: str) -> Node | None:
    """The first operator of a kind that the signatures run."""
    return next((node for node in _run(saved_model, where) if wanted.fullmatch(node.operator)), None)


def _run(saved_model: Path, where: str) -> Iterator[Node]:
    return (node for graph in graphs_of(saved_model, where) for node in graph.run_by_signatures())
