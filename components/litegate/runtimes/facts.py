"""Facts about LiteRT and a file."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version

from ai_edge_litert.interpreter import Interpreter

from litegate.runtimes.litert import LiteRTModel
from litegate.runtimes.runtime import Facts

__all__ = ["facts_of"]


def facts_of(content: bytes, load: Callable[[bytes, str | None], LiteRTModel], kernels: str) -> Facts:
    """By loading every signature of the file."""
    refused = None
    try:
        for key in list(Interpreter(model_content=content).get_signature_list()) or [None]:
            load(content, key)
    except (RuntimeError, ValueError) as error:
        refused = " ".join(str(error).split())[:500]
    return Facts(version("ai-edge-litert"), kernels, refused)
