"""What a runtime is to those who call it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from litegate.runtimes.litert import Tensor

__all__ = ["Arena", "Compiler", "Facts", "LeftOnCpu", "Model", "Placed", "Runtime"]

Array = np.ndarray[Any, np.dtype[Any]]


class Model(Protocol):
    """One signature of a file, loaded; used from one thread at a time."""

    @property
    def signature(self) -> str:
        """Its key; empty for the whole graph of a file without signatures."""
        ...

    @property
    def inputs(self) -> Mapping[str, Tensor]:
        """By name."""
        ...

    @property
    def outputs(self) -> Mapping[str, Tensor]:
        """By name."""
        ...

    @property
    def kernels(self) -> str:
        """What computes, in a word."""
        ...

    def predict(self, features: Mapping[str, Array]) -> dict[str, Array]:
        """Outputs of shape (batch, ...) by name, for real values of shape (batch, ...) by input name; any batch size.

        Raises:
            ValueError: names or shapes do not fit the signature, or the batch is empty.
            TypeError: an array has another type than its tensor's.
        """
        ...

    def quantize(self, features: Mapping[str, Array]) -> dict[str, Array]:
        """Real values as the file's inputs want them."""
        ...

    def invoke(self, quantized: Mapping[str, Array]) -> dict[str, Array]:
        """One run on arrays that are as the file wants them; nothing is checked or converted: this is what is timed."""
        ...


@dataclass(frozen=True)
class Arena:
    """The memory that a file is run in, in bytes.

    Attributes:
        total: all of it. Where pointers have 64 bits, it is an upper bound of what a 32-bit device needs.
        activations: the part of it that is used again and again, which is the same everywhere.
    """

    total: int
    activations: int


@dataclass(frozen=True)
class Facts:
    """What a runtime says of itself and of a file, beside its outputs.

    Attributes:
        version: of the library, as its distribution has it.
        kernels: what computes, in a word.
        refused: why it cannot run the file, in its own words; None where it can.
        arena: that it runs the file in; None for a runtime that has none of a fixed size, or that refuses the file.
    """

    version: str
    kernels: str
    refused: str | None = None
    arena: Arena | None = None


@dataclass(frozen=True)
class LeftOnCpu:
    """An operator that a compiler leaves on the CPU: its kind, the tensor that it computes, and the reason if told."""

    operator: str
    output: str
    reason: str


@dataclass(frozen=True)
class Placed:
    """What a compiler made of a file; see `litegate.records.Placement`.

    Attributes:
        compiled: where the file is that it wrote.
    """

    compiler: str
    system: str
    operators: int
    accelerated: int
    on_cpu: tuple[LeftOnCpu, ...]
    sram_bytes: int
    dram_bytes: int
    flash_bytes: int
    cycles: int | None
    milliseconds: float | None
    compiled: Path


class Compiler(Protocol):
    """A module of a runtime that runs what a compiler makes of a file."""

    def place(self, content: bytes, accelerator: str, folder: Path) -> Placed:
        """Compile a file for a configuration of the accelerator.

        Args:
            folder: an empty one, for what the compiler writes.

        Raises:
            RuntimeError: it cannot, with its own reason.
        """
        ...


class Runtime(Protocol):
    """A module that runs .tflite files; it works in a confined child process of its own."""

    def load(self, content: bytes, signature: str | None = None) -> Model:
        """Load a signature of a file, to run on one thread.

        Args:
            content: the file's bytes.
            signature: its key; may be left out where there is but one, or one called `serving_default`.

        Raises:
            ValueError: the bytes are no model, or there is no such signature.
            RuntimeError: the runtime cannot run it.
        """
        ...

    def facts(self, content: bytes) -> Facts:
        """What it says of itself and of a file; nothing is run, and nothing raised for a file that it refuses."""
        ...
