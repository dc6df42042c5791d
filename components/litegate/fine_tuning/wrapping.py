"""A Keras model with fake quantization in it, which shares all variables with the plain one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras

from litegate.errors import ModelError
from litegate.fine_tuning.layers import (
    called_with_values,
    fuses,
    is_exact,
    is_normalization,
    kernels_of,
    rounds,
    splits,
)
from litegate.fine_tuning.rounding import FakeQuantized, Rounded

__all__ = ["Wrapped", "fake_quantized"]


@dataclass(frozen=True)
class Wrapped:
    """The model to train.

    Attributes:
        model: not compiled; its layers have the names that the plain model's have.
        rounded: the layers whose kernels are rounded, by name.
        left: those that are computed in float, though the file may round them: by name and kind.
    """

    model: Any
    rounded: tuple[str, ...]
    left: tuple[str, ...]


def fake_quantized(model: Any, where: str) -> Wrapped:
    """Put fake quantization around the layers of a model.

    Rounded are kernels, and what operators of the converted file give: not what goes straight into a batch
    normalization or an activation that the converter computes together with it. Models in the model are taken apart.

    Args:
        model: a `keras.Model` that was built.
        where: the spec key and the URI, for messages.

    Raises:
        ModelError: it is not made of layers whose connections Keras knows.
    """
    graph = _graph(model)
    if graph is None:
        expected = "a model of layers (Sequential, or functional), for fake quantization is put between them"
        raise ModelError(where, expected, f"the class {type(model).__name__}, which computes by its own code")
    made, given = _Wrapping(), keras.tree.map_structure(_input, graph._inputs_struct)
    flat = [made.rounded_input(tensor) for tensor in keras.tree.flatten(given)]
    outputs = made.run(graph, flat, [_Use((), last=True) for _ in graph.outputs])
    packed = keras.tree.pack_sequence_as(graph._outputs_struct, outputs)
    return Wrapped(keras.Model(given, packed, name=model.name), tuple(made.rounded), tuple(dict.fromkeys(made.left)))


@dataclass(frozen=True)
class _Use:
    """What becomes of a tensor: the layers that take it, and whether the model gives it."""

    takers: tuple[Any, ...]
    last: bool

    def only(self, test: Any) -> bool:
        """Whether nothing takes it but one layer of a kind."""
        return not self.last and len(self.takers) == 1 and test(self.takers[0])


@dataclass
class _Wrapping:
    """Walks through the graph of a model, and calls every layer anew."""

    rounded: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    names: Counter[str] = field(default_factory=Counter)

    def rounded_input(self, tensor: Any) -> Any:
        """What an operator takes, which has 8 bits from the first one on; whole numbers are taken as they are."""
        return Rounded(f"{tensor.name}_rounded")(tensor) if tensor.dtype == "float32" else tensor

    def run(self, graph: Any, inputs: Sequence[Any], outside: Sequence[_Use]) -> list[Any]:
        """What the graph gives for new inputs.

        Args:
            outside: what becomes of each of its outputs.
        """
        uses = _uses(graph, outside)
        tensors = {id(old): new for old, new in zip(graph.inputs, inputs, strict=True)}
        for depth in sorted(graph._nodes_by_depth, reverse=True):
            for node in graph._nodes_by_depth[depth]:
                if not node.is_input:
                    found = self._called(node, tensors, uses)
                    tensors |= {id(old): new for old, new in zip(node.outputs, found, strict=True)}
        return [tensors[id(tensor)] for tensor in graph.outputs]

    def _called(self, node: Any, tensors: Mapping[int, Any], uses: Mapping[int, _Use]) -> list[Any]:
        layer, (args, kwargs) = node.operation, node.arguments.fill_in(tensors)
        inner = _graph(layer) if isinstance(layer, keras.Model) else None
        if inner is not None:
            given = keras.tree.flatten(args[0])
            return self.run(inner, given, [uses[id(tensor)] for tensor in node.outputs])
        if called_with_values(node.arguments) and (kernels_of(layer) or rounds(layer)):
            return [self._wrapped(layer, uses[id(node.outputs[0])])(args[0])]
        if not is_exact(layer):
            self.left.append(f"{layer.name} ({type(layer).__name__})")
        return keras.tree.flatten(layer(*args, **kwargs))  # type: ignore[no-any-return]

    def _wrapped(self, layer: Any, use: _Use) -> FakeQuantized:
        kernels, apart = kernels_of(layer), splits(layer)
        folded = bool(kernels) and not apart and use.only(is_normalization)
        # The loss takes the logarithm of a last softmax or sigmoid, which must not be rounded to 0.
        after = not (folded or use.only(fuses) or (use.last and apart))
        before = bool(kernels) and apart and not isinstance(layer.activation, keras.layers.Layer)
        self.rounded += [layer.name] if kernels and layer.name not in self.rounded else []
        return FakeQuantized(layer, kernels, before=before, after=after, name=self._name(layer.name))

    def _name(self, name: str) -> str:
        """That of the layer; with a number where the layer is called again."""
        self.names[name] += 1
        return name if self.names[name] == 1 else f"{name}_call_{self.names[name]}"


def _graph(model: Any) -> Any:
    """How the layers of a model are connected; None where it does not say."""
    found = model._functional if isinstance(model, keras.Sequential) else model
    return found if hasattr(found, "_nodes_by_depth") else None


def _input(tensor: Any) -> Any:
    return keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name)


def _uses(graph: Any, outside: Sequence[_Use]) -> dict[int, _Use]:
    """What becomes of each tensor of a graph, and of those that it gives also outside."""
    nodes = [node for some in graph._nodes_by_depth.values() for node in some]
    takers: dict[int, list[Any]] = {id(tensor): [] for node in nodes for tensor in node.outputs}
    for node in nodes:
        for tensor in node.input_tensors:
            takers[id(tensor)].append(node.operation)
    found = {key: _Use(tuple(operations), last=False) for key, operations in takers.items()}
    for tensor, use in zip(graph.outputs, outside, strict=True):
        found[id(tensor)] = _Use((*found[id(tensor)].takers, *use.takers), use.last)
    return found
