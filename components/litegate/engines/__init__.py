"""Engines: a .tflite file from a model, a recipe and samples.

The file is inspected afterwards, never believed. A further engine is a module with a function `make`, as `Engine` has
it, and a row here; its variants are rows of `litegate.variants`.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType

from litegate.engines.engine import Calibration, CannotMake, Engine, Source

__all__ = ["ENGINES", "Calibration", "CannotMake", "Engine", "Source", "engine_named", "modules_of_others"]

ENGINES = MappingProxyType(
    {
        "tf_converter": "litegate.engines.tf_converter",
    }
)
"""The module of each engine, which is loaded where it is needed: it brings a heavy library along."""


def engine_named(name: str) -> Engine:
    """Load an engine.

    Raises:
        KeyError: there is no such engine.
        ImportError: what it needs is not installed in this Python.
    """
    engine: Engine = import_module(ENGINES[name])
    return engine


def modules_of_others(name: str) -> tuple[str, ...]:
    """The modules of all engines but one: what that one makes does not depend on them."""
    return tuple(module for other, module in ENGINES.items() if other != name)
