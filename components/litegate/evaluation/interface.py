"""What files take and give, as a process of its own found out: one that crashes as it is loaded crashes nobody else."""

from __future__ import annotations

import multiprocessing
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection

from litegate.diagnosis import kind_of, message_of
from litegate.evaluation.lockstep import FileFailed, Run
from litegate.failures import FailureKind, named_signal
from litegate.processes import die_with_parent
from litegate.runtimes.litert import Tensor

__all__ = ["Interface", "interface_of"]


@dataclass(frozen=True)
class Interface:
    """A signature of a file.

    Attributes:
        kernels: what computes, in a word.
    """

    signature: str
    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]
    kernels: str

    def __str__(self) -> str:
        inputs = (f"{name} {tensor.real_dtype}{_shape(tensor)}" for name, tensor in sorted(self.inputs.items()))
        outputs = sorted(_shape(tensor) for tensor in self.outputs.values())
        return f"{', '.join(inputs)} -> {', '.join(outputs)}"


def interface_of(file: int, run: Run, signature: str | None) -> Interface:
    """By loading it in a process of its own.

    Raises:
        FileFailed: it cannot be loaded.
    """
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=_load, args=(run, signature, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        found = ours.recv()
    except EOFError:
        found = None
    process.join()
    if isinstance(found, Interface):
        return found
    if found is not None:
        raise FileFailed(file, *found)
    code = process.exitcode or 0
    kind, how = named_signal(-code) if code < 0 else (FailureKind.CRASH, f"exit code {code}")
    raise FileFailed(file, kind, f"a process that loaded it died: {how}")


def _load(run: Run, signature: str | None, connection: Connection) -> None:
    die_with_parent()
    try:
        model = run.load(signature)
        connection.send(Interface(model.signature, dict(model.inputs), dict(model.outputs), model.kernels))
    except Exception as error:
        connection.send((kind_of(error), message_of(error)))


def _shape(tensor: Tensor) -> str:
    return f"({', '.join(map(str, ('batch', *tensor.shape[1:])))})"
