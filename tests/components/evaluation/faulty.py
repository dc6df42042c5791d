"""A runtime whose files do what their bytes say: `fails SECONDS-OR-KIND AT`; in the place of native code."""

from __future__ import annotations

import faulthandler
import os
import signal
import time
from typing import Any

import numpy as np

from litegate.runtimes.litert import Tensor

__all__ = ["CLASSES", "load"]

CLASSES = 3


class Model:
    """What it does at the sample whose first value is `at`: nothing, or a death, or a wrong answer."""

    signature, kernels = "serving_default", "none"

    def __init__(self, does: str, at: float, first: int) -> None:
        self._does, self._at, self._first = does, at, first
        self.inputs = {"x": Tensor((-1, 2), np.dtype(np.float32), 0.0, 0)}
        self.outputs = {"y": Tensor((-1, CLASSES), np.dtype(np.float32), 0.0, 0)}

    def predict(self, features: dict[str, Any]) -> dict[str, Any]:
        (values,) = features.values()
        outputs = np.eye(CLASSES, dtype=np.float32)[(values[:, 0].astype(int) + self._first) % CLASSES]
        if self._at in values[:, 0]:
            return {"y": self._fail(outputs)}
        return {"y": outputs}

    def _fail(self, outputs: Any) -> Any:
        faulthandler.disable()  # pytest's: the death is meant
        if self._does == "hangs":
            time.sleep(3600)
        if self._does == "raises":
            raise RuntimeError("it cannot be run")
        if self._does == "is_short_of_memory":
            raise MemoryError
        if self._does.startswith("SIG"):
            os.kill(os.getpid(), getattr(signal, self._does))
        return outputs * np.nan if self._does == "gives_nan" else outputs


def load(content: bytes, signature: str | None = None) -> Model:
    """From `<what it does> <where> <which class it gives for the first sample>`."""
    does, at, first, *_ = content.decode().split()
    if does == "aborts_when_loaded":
        faulthandler.disable()
        os.abort()
    return Model(does, float(at), int(first))
