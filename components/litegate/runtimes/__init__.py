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
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

from litegate.errors import BadInput
from litegate.runtimes.runtime import Arena, Facts, Model, Runtime
from litegate.variants import DEVICE

__all__ = [
    "REFERENCE",
    "RUNTIMES",
    "Arena",
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
        title: what people call it.
        environment: which Python it needs, by its name in `Settings.pythons`.
        package: the distribution that it needs beside what every such Python has; one of the extra `targets`.
        vulkan: whether it computes on a Vulkan device: in float16, but for the float32 baseline.
    """

    name: str
    module: str
    title: str
    environment: str = "tensorflow"
    package: str = ""
    vulkan: bool = False

    @property
    def installed(self) -> bool:
        """Whether its package is, in the Python that asks."""
        return not self.package or find_spec(self.package.replace("-", "_")) is not None

    @property
    def recorded(self) -> bool:
        """Whether it is a real device, of which there is a record and nothing to run."""
        return self.name.startswith(DEVICE)


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
                package="tflite-micro",
            ),
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
    if not row.installed:
        where = f"in the environment {row.environment} ({sys.prefix}): install litegate[targets] there"
        raise BadInput("target", f"one whose runtime is installed; this one's is {row.package}", f"none {where}")
    module = import_module(row.module)
    runtime: Runtime = module.Recorded(name, evidence) if row.recorded else module
    return runtime


def unused_modules(*used: str) -> tuple[str, ...]:
    """The modules of all runtimes but these: what they give does not depend on them."""
    modules = {runtime_row(name).module for name in used}
    return tuple(row.module for row in (*RUNTIMES.values(), _RECORDED) if row.module not in modules)
