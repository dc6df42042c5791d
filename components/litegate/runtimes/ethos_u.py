"""Arm's Ethos-U, as far as it can be had without one: TensorFlow Lite Micro's reference kernels.

An Ethos-U is driven by TensorFlow Lite Micro. That its arithmetic is bit by bit that of the reference kernels is Arm's
claim, which nothing here can check; operators that Vela leaves on the CPU are run by these kernels themselves.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from litegate.runtimes import tflite_micro

if TYPE_CHECKING:
    from litegate.runtimes.runtime import Facts

__all__ = ["facts", "load"]

load = tflite_micro.load


def facts(content: bytes) -> Facts:
    """See `litegate.runtimes.runtime.Runtime`; of the arena only Vela can tell, for another file is run there."""
    return replace(tflite_micro.facts(content), arena=None)
