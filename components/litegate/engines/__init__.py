"""What makes a quantized file of a model: `(model, recipe, samples) -> file`. A module for each engine, and a row.

The rows are read by whoever plans a run, so reading them loads no engine. They are all there is: a spec can name an
engine, and cannot add one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

from litegate.variants import BASELINE, VARIANTS

if TYPE_CHECKING:
    from litegate.engines.engine import Engine

__all__ = ["ENGINES", "EngineRow", "engine_row", "load_engine", "unused_modules"]


@dataclass(frozen=True)
class EngineRow:
    """What the caller must know of an engine without importing it.

    Attributes:
        name: what variants and requests call it.
        module: has a class `Engine`, which is one by `litegate.engines.engine` and is made without arguments.
        environment: which Python it needs, by its name in `Settings.pythons`.
        makes: the variants that it can make. Whether one needs samples is said by its recipe.
    """

    name: str
    module: str
    environment: str
    makes: frozenset[str]


ENGINES: Mapping[str, EngineRow] = MappingProxyType(
    {
        row.name: row
        for row in (
            EngineRow("tf_converter", "litegate.engines.tf_converter", "tensorflow", frozenset(VARIANTS) - {BASELINE}),
        )
    }
)


def unused_modules(used: str) -> tuple[str, ...]:
    """The modules of all engines but one: what that one makes does not depend on them."""
    return tuple(row.module for row in ENGINES.values() if row.name != used)


def engine_row(name: str, variant: str = "") -> EngineRow:
    """The row of an engine.

    Args:
        variant: one that it is to make, if it is asked for one.

    Raises:
        ValueError: there is no such engine, or it cannot make the variant.
    """
    if name not in ENGINES:
        raise ValueError(f"engine: expected one of {', '.join(ENGINES)}, got {name}")
    row = ENGINES[name]
    if variant and variant not in row.makes:
        raise ValueError(f"engine {name}: expected one of {', '.join(sorted(row.makes))}, got {variant}")
    return row


def load_engine(row: EngineRow) -> Engine:
    """The engine, with the libraries that it needs: only in the environment that its row names."""
    engine: Engine = import_module(row.module).Engine()
    return engine
