"""The signatures of a SavedModel, read from its protobuf: names, types and shapes, of which nothing is loaded."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from types import MappingProxyType

from litegate.errors import ModelError, SpecError
from litegate.records import Signature, TensorSpec
from litegate.runtimes.litert import choose_signature
from litegate.source.graph import named_functions
from litegate.source.wire import messages, numbers, text

__all__ = ["evaluated_signature", "signatures_of"]

_OWN = ("__saved_model_init_op", "__saved_model_train_op")
_DTYPES = MappingProxyType(
    {1: "float32", 2: "float64", 3: "int32", 4: "uint8", 5: "int16", 6: "int8", 9: "int64", 10: "bool", 19: "float16"}
    | {17: "uint16", 22: "uint32", 23: "uint64"}
)
"""Of types.proto, those of numbers that numpy has."""


def signatures_of(root: Path, where: str) -> dict[str, Signature | None]:
    """Signatures that are converted, by key; None for one that has a tensor of another type, or of any number of axes.

    Shapes have -1 for free dimensions. Of a model that Keras' `export()` wrote, the converter takes `serving_default`
    alone. Field numbers are those of meta_graph.proto and tensor_shape.proto.

    Args:
        where: the spec key and the URI, for messages.

    Raises:
        ModelError: the protobuf cannot be read.
    """
    try:
        graphs = list(messages(memoryview((root / "saved_model.pb").read_bytes()), 2))
        entries = {text(entry, 1): entry for graph in graphs for entry in messages(graph, 5)}
        functions = {name for graph in graphs for objects in messages(graph, 7) for name in named_functions(objects)}
        return {
            key: _signature(next(messages(entries[key], 2), memoryview(b""))) for key in _converted(entries, functions)
        }
    except (OSError, ValueError) as error:
        raise ModelError(where, "a SavedModel with a whole saved_model.pb", f"a damaged one ({error})") from None


def evaluated_signature(keys: Iterable[str], wanted: str | None) -> str:
    """The signature that is evaluated: the one that the spec names, else `serving_default`, else the only one.

    Raises:
        SpecError: there is no such signature, or several and none was named.
    """
    keys = tuple(keys)
    try:
        return choose_signature(keys, wanted)
    except ValueError:
        raise SpecError("evaluation.signature", f"one of {', '.join(keys)}", str(wanted)) from None


def _converted(keys: Collection[str], functions: Collection[str]) -> list[str]:
    exported = "serve" in functions and "_default_save_signature" not in functions
    own = [key for key in keys if key not in _OWN]
    return ["serving_default"] if exported and len(own) > 1 and "serving_default" in own else own


def _signature(data: memoryview) -> Signature | None:
    inputs, outputs = dict(_tensors(data, 1)), dict(_tensors(data, 2))
    if None in (*inputs.values(), *outputs.values()):
        return None
    return Signature.model_validate({"inputs": inputs, "outputs": outputs})


def _tensors(data: memoryview, number: int) -> Iterator[tuple[str, TensorSpec | None]]:
    for entry in messages(data, number):
        yield text(entry, 1), _tensor(next(messages(entry, 2), memoryview(b"")))


def _tensor(data: memoryview) -> TensorSpec | None:
    dtype = _DTYPES.get(next(numbers(data, 2), 0))
    shape = next(messages(data, 3), None)
    if dtype is None or shape is None or any(numbers(shape, 3)):
        return None
    sizes = (next(numbers(each, 1), 0) for each in messages(shape, 2))
    return TensorSpec(shape=tuple(size - (1 << 64) if size >> 63 else size for size in sizes), dtype=dtype)
