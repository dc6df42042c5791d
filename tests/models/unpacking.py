"""Files made by `make_inspected.py`, and a way to change one number in a file."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from ai_edge_litert import schema_py_generated as schema

from litegate.settings import settings

MAKER = Path(__file__).with_name("make_inspected.py")


def make(folder: Path, *arguments: object) -> Path:
    command = [settings().pythons["tensorflow"], str(MAKER), str(folder), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


class Model:
    """A file unpacked, to be changed and packed again."""

    def __init__(self, content: bytes) -> None:
        self.model = schema.ModelT.InitFromPackedBuf(content, 0)
        self.graph = self.model.subgraphs[0]

    def operator(self, name: str, number: int = 0) -> Any:
        """The operator of that name that comes `number` after the first."""
        wanted = getattr(schema.BuiltinOperator, name)
        codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in self.model.operatorCodes]
        return [each for each in self.graph.operators if codes[each.opcodeIndex] == wanted][number]

    def input(self, name: str, index: int, number: int = 0) -> Any:
        return self.graph.tensors[self.operator(name, number).inputs[index]]

    def output(self, name: str, number: int = 0) -> Any:
        return self.graph.tensors[self.operator(name, number).outputs[0]]

    def data(self, tensor: Any) -> Any:
        """A copy of a constant's bytes, which takes the place of the old ones."""
        buffer = self.model.buffers[tensor.buffer]
        buffer.data = buffer.data.copy()
        return buffer.data

    def packed(self) -> bytes:
        import flatbuffers

        builder = flatbuffers.Builder(1024)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())
