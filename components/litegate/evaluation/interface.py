"""What files take and give, as a process of its own found out: one that crashes as it is loaded crashes nobody else."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from litegate.diagnosis import kind_of, message_of
from litegate.evaluation.lockstep import FileFailed, Run
from litegate.failures import FailureKind, named_signal
from litegate.processes import die_with_parent
from litegate.runtimes.litert import Tensor

__all__ = ["Interface", "interfaces_of"]


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


def interfaces_of(runs: Mapping[int, Run], signature: str | None) -> dict[int, Interface | FileFailed]:
    """By loading each file in a process of its own, as many at a time as there are cores.

    Args:
        runs: by the number of the file.

    Returns:
        By number, in the order in which they were given.
    """
    loading, found = deque[_Loading](), dict[int, Interface | FileFailed]()
    for file, run in runs.items():
        if len(loading) == len(os.sched_getaffinity(0)):
            found |= loading.popleft().result()
        loading.append(_Loading(file, run, signature))
    for each in loading:
        found |= each.result()
    return found


class _Loading:
    """A process that loads a file."""

    def __init__(self, file: int, run: Run, signature: str | None) -> None:
        context: Any = multiprocessing.get_context("fork")
        self._file = file
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_load, args=(run, signature, theirs), daemon=True)
        self._process.start()
        theirs.close()

    def result(self) -> dict[int, Interface | FileFailed]:
        """What it found out, by the number of its file, once it has ended."""
        with self._connection:
            try:
                found = self._connection.recv()
            except EOFError:
                found = None
        self._process.join()
        if isinstance(found, Interface):
            return {self._file: found}
        return {self._file: FileFailed(self._file, *(found or self._death()))}

    def _death(self) -> tuple[FailureKind, str]:
        code = self._process.exitcode or 0
        kind, how = named_signal(-code) if code < 0 else (FailureKind.CRASH, f"exit code {code}")
        return kind, f"a process that loaded it died: {how}"


def _load(run: Run, signature: str | None, connection: Connection) -> None:
    die_with_parent()
    try:
        model = run.load(signature)
        connection.send(Interface(model.signature, dict(model.inputs), dict(model.outputs), model.kernels))
    except Exception as error:
        connection.send((kind_of(error), message_of(error)))


def _shape(tensor: Tensor) -> str:
    return f"({', '.join(map(str, ('batch', *tensor.shape[1:])))})"
