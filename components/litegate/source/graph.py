"""The graph of a SavedModel, read from its protobuf without TensorFlow: nothing in it is run.

Only what is needed of TensorFlow's messages is read; field numbers are those of saved_model.proto, meta_graph.proto,
graph.proto, function.proto, node_def.proto and saved_object_graph.proto.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from litegate.source.wire import decoded, fields, messages, numbers, text

__all__ = ["Graph", "Node", "named_functions", "read_graphs"]

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
        initializers: nodes of the graph that are run as the model is loaded.
        signatures: nodes of the graph that give the outputs, by signature.
        called: functions that loading the model makes callable, initializers among them.
        named: functions by the name under which a user of the loaded model calls them.
    """

    nodes: list[Node] = field(default_factory=list)
    functions: dict[str, list[Node]] = field(default_factory=dict)
    initializers: set[str] = field(default_factory=set)
    signatures: dict[str, set[str]] = field(default_factory=dict)
    called: set[str] = field(default_factory=set)
    named: list[str] = field(default_factory=list)

    def everything(self) -> Iterator[tuple[str, Node]]:
        """All nodes, each with the function that it is in, or an empty name."""
        yield from (("", node) for node in self.nodes)
        yield from ((name, node) for name, nodes in self.functions.items() for node in nodes)

    def run_with_the_model(self) -> Iterator[Node]:
        """The nodes that an initializer, a signature or a callable function reaches; the saver's are not among them."""
        return self._reached(self.initializers.union(*self.signatures.values()), self.called)

    def run_by_signatures(self) -> Iterator[Node]:
        """The nodes that the signatures reach: what is converted."""
        return self._reached(set().union(*self.signatures.values()), set())

    def _reached(self, nodes: set[str], called: set[str]) -> Iterator[Node]:
        by_name = {node.name: node for node in self.nodes}
        names, functions = list(nodes), list(called)
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
    graphs = [_meta_graph(value) for value in messages(memoryview(data), 2)]
    if not graphs:
        raise ValueError("no graph in it")
    return graphs


def _meta_graph(data: memoryview) -> Graph:
    graph = Graph()
    for number, value in fields(data):
        if number == 2:
            graph.nodes += [_node(node) for node in messages(value, 1)]
            for library in messages(value, 2):
                graph.functions |= dict(map(_function, messages(library, 1)))
        elif number == 4:
            graph.initializers |= set(_initializers(value))
        elif number == 5:
            graph.signatures[text(value, 1)] = set(_signature_outputs(value))
        elif number == 7:
            graph.called |= {text(entry, 1) for entry in messages(value, 2)}
            graph.named += named_functions(value)
    return graph


def _function(data: memoryview) -> tuple[str, list[Node]]:
    name = next((text(signature, 1) for signature in messages(data, 1)), "")
    return name, [_node(node) for node in messages(data, 3)]


def named_functions(objects: memoryview) -> list[str]:
    """The functions among the attributes of the object that was saved, from the object graph."""
    nodes = list(messages(objects, 1))
    functions = {number for number, node in enumerate(nodes) if any(field in (6, 8) for field, _ in fields(node))}
    children = list(messages(nodes[0], 1)) if nodes else []
    return sorted(text(child, 2) for child in children if functions & set(numbers(child, 1)))


def _node(data: memoryview) -> Node:
    name, operator = "", ""
    inputs: list[str] = []
    calls: list[str] = []
    for number, value in fields(data):
        if number == 1:
            name = decoded(value)
        elif number == 2:
            operator = decoded(value)
        elif number == 3:
            inputs.append(_node_of(decoded(value)))
        elif number == 5:
            calls += _functions_of(value)
    return Node(name, operator, tuple(inputs), tuple(calls))


def _functions_of(attribute: memoryview) -> Iterator[str]:
    """Functions that an attribute names: itself, or as a list."""
    for value in messages(attribute, 2):
        yield from (text(function, 1) for function in messages(value, 10))
        for several in messages(value, 1):
            yield from (text(function, 1) for function in messages(several, 9))


def _initializers(collection: memoryview) -> Iterator[str]:
    if next((bytes(key) for key in messages(collection, 1)), b"") in _INIT_COLLECTIONS:
        for value in messages(collection, 2):
            for nodes in messages(value, 1):
                yield from (_node_of(decoded(name)) for name in messages(nodes, 1))


def _signature_outputs(entry: memoryview) -> Iterator[str]:
    for signature in messages(entry, 2):
        for output in messages(signature, 2):
            for tensor in messages(output, 2):
                yield _node_of(text(tensor, 1))


def _node_of(reference: str) -> str:
    """The node of an input such as `^name`, `name` or `name:1`."""
    return reference.removeprefix("^").partition(":")[0]
