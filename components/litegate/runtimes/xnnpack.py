"""LiteRT as a phone or a server has it: XNNPACK, and the optimized kernels for what XNNPACK leaves."""

from __future__ import annotations

from litegate.runtimes.facts import facts_of
from litegate.runtimes.litert import LiteRTModel
from litegate.runtimes.runtime import Facts

__all__ = ["facts", "load"]


def load(content: bytes, signature: str | None = None) -> LiteRTModel:
    """See `litegate.runtimes.runtime.Runtime`."""
    return LiteRTModel(content, signature)


def facts(content: bytes) -> Facts:
    """See `litegate.runtimes.runtime.Runtime`."""
    return facts_of(content, load, "xnnpack")
