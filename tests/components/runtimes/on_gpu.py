"""What the tests do on the GPU, each in a process of its own: drivers start threads, and the tests' process forks."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np
import pytest

from litegate.runtimes import vulkan

NO_DEVICE = 'no Vulkan device here: eval "$(deploy/lavapipe.sh)"'

needs_gpu = pytest.mark.skipif(not vulkan.devices(), reason=NO_DEVICE)


def in_child(function: Callable[..., Any], *arguments: Any) -> Any:
    """What a function of this module gives, or raises."""
    with ProcessPoolExecutor(1, get_context("spawn")) as child:
        return child.submit(function, *arguments).result()


def predicted(content: bytes, images: np.ndarray, arithmetic: str | None = None) -> tuple[str, np.ndarray]:
    """The kernels, and the only output."""
    from litegate.runtimes.gpu import GpuModel

    model = GpuModel(content, arithmetic=arithmetic)
    (name,), (output,) = model.inputs, model.predict({next(iter(model.inputs)): images}).values()
    assert name
    return model.kernels, output


def refusals(*contents: bytes) -> list[str]:
    """Why each file is refused, one after the other in the same process."""
    from litegate.runtimes.gpu import load

    found = []
    for content in contents:
        try:
            load(content)
            found.append("")
        except (RuntimeError, ValueError) as error:
            found.append(f"{type(error).__name__}: {error}")
    return found


def said(content: bytes) -> tuple[str, str, str | None]:
    """The facts of a file: version, kernels, refusal."""
    from litegate.runtimes.gpu import facts

    found = facts(content)
    return found.version, found.kernels, found.refused


def fully_accelerated(content: bytes) -> bool:
    """What LiteRT says where it may leave operators to the processor."""
    from ai_edge_litert.compiled_model import CompiledModel, HardwareAccelerator

    both = HardwareAccelerator(HardwareAccelerator.GPU | HardwareAccelerator.CPU)
    return CompiledModel.from_buffer(content, hardware_accel=both).is_fully_accelerated()
