"""The operators of a float32 file that a precision can be asked for, and which of them feed which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from litegate.engines.mixed_precision import Address
from litegate.inspection import Operator, layer_of, read_file
from litegate.inspection.tflite import graph_of

__all__ = ["Network", "Node", "network_of"]

_MOST_AROUND = 16
"""Operators of a region; a larger one is no single tensor's any more."""


@dataclass(frozen=True)
class Node:
    """An operator that gives real values.

    Attributes:
        place: its kind and where it stands, for people.
        layer: that it belongs to; empty where the file does not tell.
        address: how the quantizer knows it.
        inputs, outputs: names of tensors of real values that are no constants.
        weights: bytes of its float constants of two and more dimensions.
    """

    place: str
    layer: str
    address: Address
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    weights: int


@dataclass(frozen=True)
class Network:
    """The nodes of the graph of a signature, in the order in which they run, by their numbers.

    Attributes:
        graph: its index in the file.
        after: the nodes that take what one gives.
        before: the nodes that give what one takes.
    """

    graph: int
    nodes: tuple[Node, ...]
    after: Mapping[int, tuple[int, ...]]
    before: Mapping[int, tuple[int, ...]]

    def regions(self, number: int) -> tuple[frozenset[int], ...]:
        """A node alone, with what takes its output, and with what gives its inputs; each once.

        A tensor is as precise as all that compute on it: one of them in float32 alone only rounds it again. Nodes
        without weights hand on what they get, so regions go through them up to those that have some.
        """
        alone = frozenset({number})
        found = (alone, self._around(number, self.after), self._around(number, self.before))
        return tuple(dict.fromkeys(region for region in found if len(region) <= _MOST_AROUND))

    def _around(self, number: int, ways: Mapping[int, tuple[int, ...]]) -> frozenset[int]:
        found, waiting = {number}, list(ways[number])
        while waiting:
            each = waiting.pop()
            if each not in found:
                found.add(each)
                waiting += ways[each] if not self.nodes[each].weights else ()
        return frozenset(found)


def network_of(float32: bytes, signature: str) -> Network:
    """The network of a signature; operators that the quantizer cannot tell apart are not in it.

    Args:
        float32: the file's bytes.
        signature: its key.
    """
    graph = graph_of(float32, signature)
    found = [_node(each) for each in read_file(float32).graphs[graph].operators]
    addresses = [node.address for node in found]
    nodes = tuple(node for node in found if node.outputs and addresses.count(node.address) == 1)
    giving = {name: number for number, node in enumerate(nodes) for name in node.outputs}
    before = {number: _known(node.inputs, giving) for number, node in enumerate(nodes)}
    after = {number: tuple(each for each in before if number in before[each]) for number in before}
    return Network(graph, nodes, after, before)


def _known(names: Iterable[str], giving: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(giving[name] for name in names if name in giving))


def _node(operator: Operator) -> Node:
    taken = [tensor for tensor in operator.inputs if tensor is not None and tensor.type == "float32"]
    return Node(
        place=operator.place,
        layer=layer_of(operator),
        address=(operator.name, "".join(f"{tensor.name};" for tensor in operator.outputs)),
        inputs=tuple(tensor.name for tensor in taken if not tensor.constant),
        outputs=tuple(tensor.name for tensor in operator.outputs if tensor.type == "float32"),
        weights=sum(4 * tensor.elements for tensor in taken if tensor.constant and len(tensor.shape) > 1),
    )
