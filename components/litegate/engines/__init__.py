"""What makes a quantized file of a model: `(model, recipe, samples) -> file`. A module for each engine, and a row.

The rows are read by whoever plans a run, so reading them loads no engine. They are all there is: a spec can name an
engine, and cannot add one.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from types import MappingProxyType
from typing import TYPE_CHECKING

from litegate.errors import BadInput
from litegate.variants import LITERT_QUANTIZER, MADE_BY, TF_CONVERTER, variant_of

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
        package: the distribution that it needs beside what every such Python has; one of the extra `quantizer`.
    """

    name: str
    module: str
    environment: str
    makes: frozenset[str]
    package: str = ""

    @property
    def installed(self) -> bool:
        """Whether its package is, in the Python that asks."""
        return not self.package or find_spec(self.package.replace("-", "_")) is not None


ENGINES: Mapping[str, EngineRow] = MappingProxyType(
    {
        row.name: row
        for row in (
            EngineRow(TF_CONVERTER, "litegate.engines.tf_converter", "tensorflow", MADE_BY[TF_CONVERTER]),
            EngineRow(
                LITERT_QUANTIZER,
                "litegate.engines.litert_quantizer",
                "tensorflow",
                MADE_BY[LITERT_QUANTIZER],
                "litert-quantizer",
            ),
        )
    }
)


def unused_modules(used: str) -> tuple[str, ...]:
    """The modules of all engines but one: what that one makes does not depend on them."""
    return tuple(row.module for row in ENGINES.values() if row.name != used)


def engine_row(name: str, variant: str = "") -> EngineRow:
    """The row of an engine.

    Args:
        variant: a file that it is to make, if it is asked for one, by the file's name.

    Raises:
        ValueError: there is no such engine, or it cannot make the variant.
    """
    if name not in ENGINES:
        raise ValueError(f"engine: expected one of {', '.join(ENGINES)}, got {name}")
    row = ENGINES[name]
    if variant and variant_of(variant).name not in row.makes:
        raise ValueError(f"engine {name}: expected one of {', '.join(sorted(row.makes))}, got {variant}")
    return row


def load_engine(row: EngineRow) -> Engine:
    """The engine, with the libraries that it needs: only in the environment that its row names.

    Raises:
        BadInput: its package is not installed there.
    """
    if not row.installed:
        where = f"in the environment {row.environment} ({sys.prefix}): install litegate[quantizer] there"
        raise BadInput("engine", f"one whose package is installed; this one's is {row.package}", f"none {where}")
    engine: Engine = import_module(row.module).Engine()
    return engine
