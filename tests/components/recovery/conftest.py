"""Searches on a model that 8 bits ruin."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from litegate.digest import digest_bytes
from litegate.records import FileRef, RecoverRequest, Recovery
from litegate.recovery import recovered
from litegate.runtimes.litert import LiteRTModel
from litegate.spec import Recover

LIMIT = 0.01


def kept(content: bytes) -> FileRef:
    return FileRef(name="prepared.tflite", digest=digest_bytes(content), bytes=len(content))


@pytest.fixture
def search(collapsing: Path) -> Callable[..., tuple[bytes, Recovery]]:
    """Searches without what would leave nothing to search for, unless it is asked for."""
    float32 = (collapsing / "collapsing.tflite").read_bytes()
    with np.load(collapsing / "calibration.npz") as arrays:
        images = arrays["image"]

    def searched(
        limit: float = LIMIT,
        turned: bool = False,
        content: bytes = float32,
        say: Any = lambda *_: None,
        clock: Any = time.monotonic,
        progress: Path | None = None,
        **asked: Any,
    ) -> tuple[bytes, Recovery]:
        wanted = Recover.model_validate({"equalize": False, "correct_bias": False} | asked)
        request = RecoverRequest(asked=wanted, limit=limit, seed=17, classifies=True)
        samples = {"serving_default": {"image": images[::-1] if turned else images}}
        return recovered(content, samples, request, say, kept, clock, progress)

    return searched


@pytest.fixture
def lost(collapsing: Path) -> Callable[[bytes], float]:
    """Points of accuracy that a file loses against float32, on samples that the search has not seen."""
    with np.load(collapsing / "test.npz") as arrays:
        images, labels = arrays["image"], arrays["label"]
    float32 = (collapsing / "collapsing.tflite").read_bytes()

    def points(content: bytes) -> float:
        contents = (float32, content)
        (before, after) = (next(iter(LiteRTModel(each).predict({"image": images}).values())) for each in contents)
        return 100 * float(np.mean(before.argmax(1) == labels) - np.mean(after.argmax(1) == labels))

    return points
