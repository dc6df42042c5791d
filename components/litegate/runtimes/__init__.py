"""Runtimes: outputs from a .tflite file's bytes and a batch, and facts about how they come about.

A module for each runtime, and a row; a target names the runtime whose word counts. The rows are read by whoever plans
a run, so reading them loads no runtime. `litert.py` is what LiteRT's own runtimes share, and travels with every
registered model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType

from litegate.runtimes.runtime import Facts, Model, Runtime

__all__ = [
    "REFERENCE",
    "RUNTIMES",
    "Facts",
    "Model",
    "Runtime",
    "RuntimeRow",
    "load_runtime",
    "runtime_row",
    "unused_modules",
]


@dataclass(frozen=True)
class RuntimeRow:
    """What the caller must know of a runtime without importing it.

    Attributes:
        name: what targets and requests call it.
        module: has functions `load` and `facts`, as `litegate.runtimes.runtime.Runtime` has them.
        environment: which Python it needs, by its name in `Settings.pythons`.
    """

    name: str
    module: str
    environment: str = "tensorflow"


RUNTIMES: Mapping[str, RuntimeRow] = MappingProxyType(
    {
        row.name: row
        for row in (
            RuntimeRow("litert", "litegate.runtimes.xnnpack"),
            RuntimeRow("litert_reference", "litegate.runtimes.reference"),
        )
    }
)

REFERENCE = "litert_reference"
"""Plain kernels without any optimization, which others are compared with."""


def runtime_row(name: str) -> RuntimeRow:
    """The row of a runtime.

    Raises:
        ValueError: there is no such runtime.
    """
    if name not in RUNTIMES:
        raise ValueError(f"runtime: expected one of {', '.join(RUNTIMES)}, got {name}")
    return RUNTIMES[name]


def load_runtime(name: str) -> Runtime:
    """A runtime, with the libraries that it needs: only in the environment that its row names.

    Raises:
        ValueError: there is no such runtime.
        ImportError: what it needs is not installed there.
    """
    runtime: Runtime = import_module(runtime_row(name).module)
    return runtime


def unused_modules(*used: str) -> tuple[str, ...]:
    """The modules of all runtimes but these: what they give does not depend on them."""
    return tuple(row.module for row in RUNTIMES.values() if row.name not in used)
