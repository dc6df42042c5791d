"""Looking at a SavedModel before it is loaded: loading one runs its initializers."""

from __future__ import annotations

from pathlib import Path

from litegate.errors import ModelError
from litegate.source.graph import Graph, read_graphs
from litegate.source.operators import CHECKPOINT_WRITERS, risk_of

__all__ = ["check_saved_model"]


def check_saved_model(root: Path, where: str) -> None:
    """Refuse a SavedModel with an operator that reads or writes files, runs Python or opens connections.

    Args:
        where: the spec key and the URI, for messages.

    Raises:
        ModelError: there is such an operator, or the protobuf cannot be read.
    """
    path = root / "saved_model.pb"
    try:
        graphs = read_graphs(path.read_bytes())
    except (OSError, ValueError) as error:
        found = f"a damaged one ({error.strerror if isinstance(error, OSError) else error})"
        raise ModelError(where, "a SavedModel with a whole saved_model.pb", found) from None
    for graph in graphs:
        _check(graph, where)


def _check(graph: Graph, where: str) -> None:
    for function, node in graph.everything():
        risk = risk_of(node.operator)
        if risk is not None:
            place = f"node {node.name!r}" + (f" of the function {function!r}" if function else "")
            raise ModelError(
                where, "no operator that reaches beyond the model", f"{node.operator}, which {risk}, {place}"
            )
    for node in graph.run_with_the_model():
        if node.operator in CHECKPOINT_WRITERS:
            found = f"{node.operator}, which writes files, node {node.name!r}"
            raise ModelError(where, "checkpoints to be written by the saver alone", found)
