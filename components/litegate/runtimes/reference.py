"""LiteRT on its reference kernels: plain loops, up to a hundred times slower, that say what an operator means."""

from __future__ import annotations

from litegate.runtimes.facts import facts_of
from litegate.runtimes.litert import LiteRTModel
from litegate.runtimes.runtime import Facts

__all__ = ["facts", "load"]


def load(content: bytes, signature: str | None = None) -> LiteRTModel:
    """See `litegate.runtimes.runtime.Runtime`."""
    return LiteRTModel(content, signature, reference_kernels=True)


def facts(content: bytes) -> Facts:
    """See `litegate.runtimes.runtime.Runtime`."""
    return facts_of(content, load, "reference")
