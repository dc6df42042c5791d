"""The graph of a SavedModel, read from its protobuf without TensorFlow: nothing in it is run.

Only what is needed of the wire format (https://protobuf.dev/programming-guides/encoding) and of TensorFlow's messages
is read; field numbers are those of saved_model.proto, meta_graph.proto, graph.proto, function.proto, node_def.proto
and saved_object_graph.proto.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = ["Graph", "Node", "read_graphs"]

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_INIT_COLLECTIONS = (b"saved_model_main_op", b"legacy_init_op")


@dataclass(frozen=True)
class Node:
    """One operator: the nodes that it needs, and the functions that it may call."""

    name: str
    operator: str
    inputs: tuple[str, ...]
    calls: tuple[str, ...]


@dataclass
class Graph:
    """One meta graph.

    Attributes:
        nodes: of the graph itself.
        functions: nodes by function.
        entries: nodes of the graph that are run: the initializers and what the signatures give.
        called: functions that loading the model makes callable, initializers among them.
    """

    nodes: list[Node] = field(default_factory=list)
    functions: dict[str, list[Node]] = field(default_factory=dict)
    entries: set[str] = field(default_factory=set)
    called: set[str] = field(default_factory=set)

    def everything(self) -> Iterator[tuple[str, Node]]:
        """All nodes, each with the function that it is in, or an empty name."""
        yield from (("", node) for node in self.nodes)
        yield from ((name, node) for name, nodes in self.functions.items() for node in nodes)

    def run_with_the_model(self) -> Iterator[Node]:
        """The nodes that an initializer or a signature reaches; the saver's are not among them."""
        by_name = {node.name: node for node in self.nodes}
        names, functions = list(self.entries), list(self.called)
        seen: set[str] = set()
        reached: set[str] = set()
        while names or functions:
            if names:
                node = by_name.get(names.pop())
                if node is None or node.name in seen:
                    continue
                seen.add(node.name)
                names += node.inputs
                functions += node.calls
                yield node
            else:
                name = functions.pop()
                if name not in reached:
                    reached.add(name)
                    yield from self.functions.get(name, ())
                    functions += [call for node in self.functions.get(name, ()) for call in node.calls]


def read_graphs(data: bytes) -> list[Graph]:
    """The meta graphs of a `saved_model.pb`.

    Raises:
        ValueError: the bytes are no such protobuf, or hold no graph.
    """
    graphs = [_meta_graph(value) for value in _messages(memoryview(data), 2)]
    if not graphs:
        raise ValueError("no graph in it")
    return graphs


def _meta_graph(data: memoryview) -> Graph:
    graph = Graph()
    for number, value in _fields(data):
        if number == 2:
            graph.nodes += [_node(node) for node in _messages(value, 1)]
            for library in _messages(value, 2):
                graph.functions |= dict(map(_function, _messages(library, 1)))
        elif number == 4:
            graph.entries |= set(_initializers(value))
        elif number == 5:
            graph.entries |= set(_signature_outputs(value))
        elif number == 7:
            graph.called |= {_text(entry, 1) for entry in _messages(value, 2)}
    return graph


def _function(data: memoryview) -> tuple[str, list[Node]]:
    name = next((_text(signature, 1) for signature in _messages(data, 1)), "")
    return name, [_node(node) for node in _messages(data, 3)]


def _node(data: memoryview) -> Node:
    name, operator = "", ""
    inputs: list[str] = []
    calls: list[str] = []
    for number, value in _fields(data):
        if number == 1:
            name = _decoded(value)
        elif number == 2:
            operator = _decoded(value)
        elif number == 3:
            inputs.append(_node_of(_decoded(value)))
        elif number == 5:
            calls += _functions_of(value)
    return Node(name, operator, tuple(inputs), tuple(calls))


def _functions_of(attribute: memoryview) -> Iterator[str]:
    """Functions that an attribute names: itself, or as a list."""
    for value in _messages(attribute, 2):
        yield from (_text(function, 1) for function in _messages(value, 10))
        for several in _messages(value, 1):
            yield from (_text(function, 1) for function in _messages(several, 9))


def _initializers(collection: memoryview) -> Iterator[str]:
    if next((bytes(key) for key in _messages(collection, 1)), b"") in _INIT_COLLECTIONS:
        for value in _messages(collection, 2):
            for nodes in _messages(value, 1):
                yield from (_node_of(_decoded(name)) for name in _messages(nodes, 1))


def _signature_outputs(entry: memoryview) -> Iterator[str]:
    for signature in _messages(entry, 2):
        for output in _messages(signature, 2):
            for tensor in _messages(output, 2):
                yield _node_of(_text(tensor, 1))


def _node_of(reference: str) -> str:
    """The node of an input such as `^name`, `name` or `name:1`."""
    return reference.removeprefix("^").partition(":")[0]


def _text(data: memoryview, number: int) -> str:
    return next((_decoded(value) for value in _messages(data, number)), "")


def _decoded(value: memoryview) -> str:
    return bytes(value).decode("utf-8", errors="replace")


def _messages(data: memoryview, wanted: int) -> Iterator[memoryview]:
    return (value for number, value in _fields(data) if number == wanted)


def _fields(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Number and bytes of every field that has a length; the others are stepped over."""
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        kind = tag & 7
        if kind == _VARINT:
            _, position = _varint(data, position)
        elif kind == _BYTES:
            size, position = _varint(data, position)
            if size > len(data) - position:
                raise ValueError("it ends too early")
            yield tag >> 3, data[position : position + size]
            position += size
        elif kind in (_FIXED64, _FIXED32):
            position += 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"a field of the unknown kind {kind}")
    if position > len(data):
        raise ValueError("it ends too early")


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(data):
            raise ValueError("it ends too early")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError("a number that does not end")
