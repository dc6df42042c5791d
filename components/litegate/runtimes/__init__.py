"""Runtimes: outputs from a .tflite file's bytes and a batch, and facts about how they come about.

A module for each runtime, and a row; a target names the runtime whose word counts. The rows are read by whoever plans
a run, so reading them loads no runtime. `litert.py` is what LiteRT's own runtimes share, and travels with every
registered model.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import MappingProxyType

from litegate.errors import BadInput
from litegate.runtimes.runtime import Arena, Compiler, Facts, Model, Placed, Runtime
from litegate.variants import DEVICE

__all__ = [
    "REFERENCE",
    "RUNTIMES",
    "Arena",
    "Compiler",
    "Facts",
    "Model",
    "Placed",
    "Runtime",
    "RuntimeRow",
    "load_compiler",
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
        title: what people call it.
        environment: which Python it needs, by its name in `Settings.pythons`.
        packages: the distributions that it needs beside what every such Python has, of the extra `targets`.
        beneath: the runtime whose kernels it runs; empty if they are its own.
        compiler: has a function `place`, as `litegate.runtimes.runtime.Compiler` has it; empty where it runs files as
            they are.
        vulkan: whether it computes on a Vulkan device: in float16, but for the float32 baseline.
    """

    name: str
    module: str
    title: str
    environment: str = "tensorflow"
    packages: tuple[str, ...] = ()
    beneath: str = ""
    compiler: str = ""
    vulkan: bool = False

    @property
    def missing(self) -> tuple[str, ...]:
        """Those of its packages that are not installed in the Python that asks."""
        return tuple(name for name in self.packages if not _is_installed(name))

    @property
    def installed(self) -> bool:
        """Whether all are."""
        return not self.missing

    @property
    def recorded(self) -> bool:
        """Whether it is a real device, of which there is a record and nothing to run."""
        return self.name.startswith(DEVICE)


def _is_installed(distribution: str) -> bool:
    try:
        return bool(version(distribution))
    except PackageNotFoundError:
        return False


RUNTIMES: Mapping[str, RuntimeRow] = MappingProxyType(
    {
        row.name: row
        for row in (
            RuntimeRow("litert", "litegate.runtimes.xnnpack", "LiteRT"),
            RuntimeRow("litert_reference", "litegate.runtimes.reference", "LiteRT on reference kernels"),
            RuntimeRow(
                "tflite_micro",
                "litegate.runtimes.tflite_micro",
                "TensorFlow Lite Micro",
                packages=("tflite-micro",),
            ),
            RuntimeRow(
                "ethos_u",
                "litegate.runtimes.ethos_u",
                "TensorFlow Lite Micro",
                packages=("tflite-micro", "ethos-u-vela"),
                beneath="tflite_micro",
                compiler="litegate.runtimes.vela",
            ),
            RuntimeRow("litert_arithmetic", "litegate.runtimes.arithmetic", "vectorized reference arithmetic"),
            RuntimeRow("gpu", "litegate.runtimes.gpu", "LiteRT's GPU accelerator", vulkan=True),
        )
    }
)

_RECORDED = RuntimeRow(DEVICE, "litegate.runtimes.recorded", DEVICE)
"""Stands for all devices: each has its own name and title, and all have one module."""

REFERENCE = "litert_reference"
"""Plain kernels without any optimization, which others are compared with."""


def runtime_row(name: str) -> RuntimeRow:
    """The row of a runtime, or of a device by `device:` and its name.

    Raises:
        ValueError: there is no such runtime.
    """
    if name.startswith(DEVICE):
        return replace(_RECORDED, name=name, title=name)
    if name not in RUNTIMES:
        raise ValueError(f"runtime: expected one of {', '.join(RUNTIMES)}, got {name}")
    return RUNTIMES[name]


def load_runtime(name: str, evidence: Path | None = None) -> Runtime:
    """A runtime, with the libraries that it needs: only in the environment that its row names.

    Args:
        evidence: what a device has given of the file that is to be loaded; None for what is no device.

    Raises:
        ValueError: there is no such runtime, or no evidence of a device.
        BadInput: its package is not installed there.
    """
    row = runtime_row(name)
    if row.recorded != (evidence is not None):
        raise ValueError(f"runtime {name}: expected evidence of a device and of nothing else, got {evidence}")
    _check_installed(row)
    module = import_module(row.module)
    runtime: Runtime = module.Recorded(name, evidence) if row.recorded else module
    return runtime


def load_compiler(name: str) -> Compiler:
    """The compiler that belongs to a runtime; as `load_runtime`."""
    row = runtime_row(name)
    _check_installed(row)
    compiler: Compiler = import_module(row.compiler)
    return compiler


def _check_installed(row: RuntimeRow) -> None:
    if missing := " and ".join(row.missing):
        where = f"in the environment {row.environment} ({sys.prefix}): install litegate[targets] there"
        raise BadInput("target", f"one whose runtime is installed; this one's is {missing}", f"none {where}")


def unused_modules(*used: str, compiled: bool = False) -> tuple[str, ...]:
    """The modules of all runtimes but these: what they give does not depend on them.

    Args:
        compiled: whether their compilers are used as well.
    """
    rows = [runtime_row(name) for name in used]
    needed = {row.module for row in rows} | {RUNTIMES[row.beneath].module for row in rows if row.beneath}
    modules = [row.module for row in (*RUNTIMES.values(), _RECORDED) if row.module not in needed]
    compilers = [row.compiler for row in RUNTIMES.values() if row.compiler and not (compiled and row.name in used)]
    return (*modules, *compilers)
