"""A runtime of the tests' own: LiteRT's, but a file that is a word does what the word says."""

from __future__ import annotations

import faulthandler
import os
import signal
import time
from collections.abc import Mapping
from typing import Any

from litegate.runtimes import Model, xnnpack

__all__ = ["load"]


def load(content: bytes, signature: str | None = None) -> Model | Brittle:
    """See `litegate.runtimes.runtime.Runtime`."""
    words = ("segfault", "killed", "hangs", "raises", "exits")
    word = content.decode() if content.decode(errors="replace") in words else ""
    return Brittle(word) if word else xnnpack.load(content, signature)


class Brittle:
    """Runs a few times before it does it."""

    kernels = "brittle"

    def __init__(self, word: str) -> None:
        self.word, self.runs = word, 0
        self.inputs: dict[str, Any] = {}

    def quantize(self, features: Mapping[str, Any]) -> dict[str, Any]:
        return dict(features)

    def invoke(self, quantized: Mapping[str, Any]) -> None:
        self.runs += 1
        time.sleep(0.0005)
        if self.runs > 20:
            getattr(self, self.word)()

    def segfault(self) -> None:
        faulthandler.disable()  # pytest's, which this process has from its parent
        os.kill(os.getpid(), signal.SIGSEGV)

    def killed(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def hangs(self) -> None:
        signal.pause()

    def raises(self) -> None:
        raise MemoryError("no memory for the arena")

    def exits(self) -> None:
        os._exit(7)
