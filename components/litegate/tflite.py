"""What a .tflite file says of itself, as records."""

from __future__ import annotations

from functools import cache

from ai_edge_litert import schema_py_generated as schema

from litegate.litert import LiteRTModel, Tensor
from litegate.records import Signature, TensorSpec

__all__ = ["describe", "names_of", "operators", "signature_of"]


def describe(content: bytes) -> dict[str, Signature]:
    """The signatures of a .tflite file by key, with the types and quantization that the file holds."""
    keys = LiteRTModel(content, _any_key(content)).signatures
    return {key: signature_of(LiteRTModel(content, key)) for key in keys}


def operators(content: bytes) -> frozenset[str]:
    """Names of the operators that a .tflite file needs, such as `CONV_2D`; nothing is loaded or run."""
    model = schema.Model.GetRootAs(content, 0)
    codes = map(model.OperatorCodes, range(model.OperatorCodesLength()))
    # Old files hold the number in a field of one byte, new ones in both.
    return frozenset(_operator_names()[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())] for code in codes)


def names_of(tensors: dict[str, TensorSpec]) -> str:
    """Names, types and shapes for a log line."""
    return ", ".join(f"{name} {spec.dtype}{list(spec.shape)}" for name, spec in tensors.items())


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


def _spec(tensor: Tensor) -> TensorSpec:
    return TensorSpec(shape=tensor.shape, dtype=tensor.dtype.name, scale=tensor.scale, zero_point=tensor.zero_point)
