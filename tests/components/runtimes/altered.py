"""Files with something changed in them, made without a converter."""

from __future__ import annotations

from collections.abc import Callable

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

__all__ = ["altered", "with_an_operator_that_no_gpu_has"]


def altered(content: bytes, change: Callable[[schema.ModelT], None]) -> bytes:
    """A file after a change of what it holds."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(bytearray(content), 0))
    change(model)
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def with_an_operator_that_no_gpu_has(model: schema.ModelT) -> None:
    """In the place of its softmax."""
    for code in model.operatorCodes:
        if code.builtinCode == schema.BuiltinOperator.SOFTMAX:
            code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.ZEROS_LIKE
    for operator in model.subgraphs[0].operators:
        if model.operatorCodes[operator.opcodeIndex].builtinCode == schema.BuiltinOperator.ZEROS_LIKE:
            operator.builtinOptionsType, operator.builtinOptions = 0, None
