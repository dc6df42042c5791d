"""The files of `tflite_files` as other converters would have written them."""

from __future__ import annotations

from pathlib import Path

import flatbuffers
import pytest
from ai_edge_litert import schema_py_generated as schema


@pytest.fixture(scope="session")
def unsigned(tflite_files: dict[str, Path]) -> bytes:
    """The integer-only file without its signature."""
    model = _unpacked(tflite_files["int8"])
    model.signatureDefs = None
    return _packed(model)


@pytest.fixture(scope="session")
def of_four(tflite_files: dict[str, Path]) -> bytes:
    """The float file for exactly four samples."""
    model = _unpacked(tflite_files["float32"])
    graph = model.subgraphs[0]
    tensor = graph.tensors[graph.inputs[0]]
    tensor.shape, tensor.shapeSignature = [4, 8, 8, 1], None
    return _packed(model)


def _unpacked(path: Path) -> schema.ModelT:
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(bytearray(path.read_bytes()), 0))


def _packed(model: schema.ModelT) -> bytes:
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
