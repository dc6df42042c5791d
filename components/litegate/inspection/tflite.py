"""What a .tflite file says of itself, as records."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from ai_edge_litert import schema_py_generated as schema

from litegate.inspection.flatbuffer import Graph, read_file
from litegate.inspection.flatbuffer import Tensor as FileTensor
from litegate.records import Signature, TensorSpec
from litegate.runtimes.litert import LiteRTModel, Tensor

__all__ = [
    "describe",
    "describe_unopened",
    "graph_of",
    "names_of",
    "operators",
    "outputs_of_custom_operators",
    "signature_of",
]


def describe(content: bytes) -> dict[str, Signature]:
    """The signatures of a .tflite file by key, with the types and quantization that the file holds.

    A file without any is described as one signature with an empty key, whose tensors go by their own names.
    """
    keys = LiteRTModel(content, _any_key(content)).signatures or ("",)
    return {key: signature_of(LiteRTModel(content, key)) for key in keys}


def describe_unopened(content: bytes) -> dict[str, Signature]:
    """The same, read by Python alone: no native code opens the file, which users have brought.

    Raises:
        ValueError: the bytes are no LiteRT model, or damaged.
    """
    graphs = read_file(content).graphs
    model = schema.Model.GetRootAs(content, 0)
    try:
        found = {
            each.SignatureKey().decode(): _unopened(each, graphs[each.SubgraphIndex()])
            for each in map(model.SignatureDefs, range(model.SignatureDefsLength()))
        }
        return found or {"": _whole_graph(model.Subgraphs(0), graphs[0])}
    except Exception as error:
        raise ValueError(f"the model's signatures are damaged: {type(error).__name__}: {error}") from error


def graph_of(content: bytes, signature: str) -> int:
    """The index of the graph that a signature runs; the first one, where there is no such signature."""
    model = schema.Model.GetRootAs(content, 0)
    definitions = map(model.SignatureDefs, range(model.SignatureDefsLength()))
    return next((int(each.SubgraphIndex()) for each in definitions if each.SignatureKey().decode() == signature), 0)


def operators(content: bytes) -> frozenset[str]:
    """Names of the operators that a .tflite file needs, such as `CONV_2D`; nothing is loaded or run."""
    model = schema.Model.GetRootAs(content, 0)
    codes = map(model.OperatorCodes, range(model.OperatorCodesLength()))
    # Old files hold the number in a field of one byte, new ones in both.
    return frozenset(_operator_names()[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())] for code in codes)


def outputs_of_custom_operators(content: bytes, signature: str) -> dict[str, str]:
    """The outputs of a signature that depend on an operator which is none of LiteRT's own, with its name."""
    model, graphs = schema.Model.GetRootAs(content, 0), read_file(content).graphs
    definitions = map(model.SignatureDefs, range(model.SignatureDefsLength()))
    found = {}
    for each in (each for each in definitions if each.SignatureKey().decode() == signature):
        custom = _after_custom_operators(graphs[each.SubgraphIndex()])
        outputs = map(each.Outputs, range(each.OutputsLength()))
        names = {output.Name().decode(): output.TensorIndex() for output in outputs}
        found = {name: custom[names[name]] for name in sorted(names) if names[name] in custom}
    return found


def _after_custom_operators(graph: Graph) -> dict[int, str]:
    """Tensors by their index; operators stand in the order in which they are run."""
    found: dict[int, str] = {}
    for operator in graph.operators:
        before = (found[tensor.index] for tensor in operator.inputs if tensor is not None and tensor.index in found)
        name = operator.name if operator.custom else next(before, "")
        found |= {tensor.index: name for tensor in operator.outputs if name}
    return found


def names_of(tensors: dict[str, TensorSpec]) -> str:
    """Names, types and shapes for a log line."""
    return ", ".join(f"{name} {spec.dtype}{list(spec.shape)}" for name, spec in tensors.items())


_NUMPY_NAMES = {"string": "bytes"}
_SMALL_INTEGERS = frozenset({"int8", "uint8", "int16", "uint16"})


@cache
def _operator_names() -> dict[int, str]:
    return {number: name for name, number in vars(schema.BuiltinOperator).items() if not name.startswith("_")}


def _any_key(content: bytes) -> str | None:
    from ai_edge_litert.interpreter import Interpreter

    keys = list(Interpreter(model_content=content).get_signature_list())
    return keys[0] if keys else None


def signature_of(model: LiteRTModel) -> Signature:
    """What the signature that a model runs takes and gives."""
    return Signature(
        inputs={name: _spec(tensor) for name, tensor in model.inputs.items()},
        outputs={name: _spec(tensor) for name, tensor in model.outputs.items()},
    )


def _unopened(signature: Any, graph: Graph) -> Signature:
    def specs(item: Callable[[int], Any], count: int) -> dict[str, TensorSpec]:
        found = map(item, range(count))
        return {each.Name().decode(): _unopened_spec(graph.tensors[each.TensorIndex()]) for each in found}

    return Signature(
        inputs=specs(signature.Inputs, signature.InputsLength()),
        outputs=specs(signature.Outputs, signature.OutputsLength()),
    )


def _whole_graph(graph: Any, read: Graph) -> Signature:
    def specs(indices: Iterable[int]) -> dict[str, TensorSpec]:
        return {read.tensors[index].name: _unopened_spec(read.tensors[index]) for index in indices}

    return Signature(
        inputs=specs(map(graph.Inputs, range(graph.InputsLength()))),
        outputs=specs(map(graph.Outputs, range(graph.OutputsLength()))),
    )


def _unopened_spec(tensor: FileTensor) -> TensorSpec:
    """Scale and zero point of what `LiteRTModel` takes for quantized: small integers with one scale for all."""
    quantized = tensor.type in _SMALL_INTEGERS and len(tensor.scales) == 1
    return TensorSpec(
        shape=tensor.shape,
        dtype=_NUMPY_NAMES.get(tensor.type, tensor.type),
        scale=float(tensor.scales[0]) if quantized else 0.0,
        zero_point=int(tensor.zero_points[0]) if quantized else 0,
    )


def _spec(tensor: Tensor) -> TensorSpec:
    return TensorSpec(shape=tensor.shape, dtype=tensor.dtype.name, scale=tensor.scale, zero_point=tensor.zero_point)
