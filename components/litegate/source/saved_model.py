"""Looking at a SavedModel before it is loaded: loading one runs its initializers."""

from __future__ import annotations

from pathlib import Path

from litegate.errors import ModelError
from litegate.source.graph import Graph, read_graphs
from litegate.source.operators import CHECKPOINT_WRITERS, risk_of

__all__ = ["check_saved_model", "graphs_of"]

_USUAL = ("serve", "serving_default", "__call__", "call", "predict")
_OWN = ("__saved_model_init_op", "__saved_model_train_op")


def check_saved_model(root: Path, where: str) -> None:
    """Refuse a SavedModel with an operator that reads or writes files, runs Python or opens connections.

    Args:
        where: the spec key and the URI, for messages.

    Raises:
        ModelError: there is such an operator, or no signature, or the protobuf cannot be read.
    """
    graphs = graphs_of(root, where)
    for graph in graphs:
        _check(graph, where)
    if not any(set(graph.signatures) - set(_OWN) for graph in graphs):
        raise _no_signature([name for graph in graphs for name in graph.named], where)


def graphs_of(root: Path, where: str) -> list[Graph]:
    """The graphs of a SavedModel, of which nothing is run.

    Raises:
        ModelError: the protobuf cannot be read.
    """
    try:
        return read_graphs((root / "saved_model.pb").read_bytes())
    except (OSError, ValueError) as error:
        found = f"a damaged one ({error.strerror if isinstance(error, OSError) else error})"
        raise ModelError(where, "a SavedModel with a whole saved_model.pb", found) from None


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


def _no_signature(functions: list[str], where: str) -> ModelError:
    has = f"it has the functions {', '.join(functions)}" if functions else "it has no function either"
    name = next((each for each in _USUAL if each in functions), functions[0] if functions else "serve")
    cure = (
        f"Save it with one: tf.saved_model.save(model, path, signatures={{'serving_default': model.{name}}}), "
        f"where {name} is a tf.function with an input_signature; a Keras model: model.export(path)."
    )
    return ModelError(where, "a SavedModel with a signature", f"one without: {has}\n{cure}")
