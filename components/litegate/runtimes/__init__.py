"""Runtimes: outputs from a .tflite file's bytes and a batch, and facts about how they come about.

A target names the runtime whose word counts. A further runtime is a module with functions `load` and `facts`, as
`Runtime` has them, and a row here. `litert.py` is what LiteRT's own runtimes share, and travels with every registered
model.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType

from litegate.runtimes.runtime import Facts, Model, Runtime

__all__ = ["REFERENCE", "RUNTIMES", "Facts", "Model", "Runtime", "modules_of_others", "runtime_named"]

RUNTIMES = MappingProxyType(
    {
        "litert": "litegate.runtimes.xnnpack",
        "litert_reference": "litegate.runtimes.reference",
    }
)
"""The module of each runtime, which is loaded where it is needed: it brings a heavy library along."""

REFERENCE = "litert_reference"
"""Plain kernels without any optimization, which others are compared with."""


def runtime_named(name: str) -> Runtime:
    """Load a runtime.

    Raises:
        KeyError: there is no such runtime.
        ImportError: what it needs is not installed in this Python.
    """
    runtime: Runtime = import_module(RUNTIMES[name])
    return runtime


def modules_of_others(*names: str) -> tuple[str, ...]:
    """The modules of all runtimes but these: what they give does not depend on them."""
    return tuple(module for other, module in RUNTIMES.items() if other not in names)
