"""The training of the fine-tuned models in `bench_recovery.py`, as a user writes one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np

__all__ = ["tune"]


def tune(model: Any, folder: Path, epochs: int = 60, rate: float = 0.003) -> None:
    """Train on what the benchmark trained on, with a learning rate that falls to nothing."""
    with np.load(folder / "train.npz") as arrays:
        images, labels = arrays["image"], arrays["label"]
    steps = epochs * -(-len(images) // 32)
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, steps)), "sparse_categorical_crossentropy"
    )
    model.fit(images, labels, epochs=epochs, batch_size=32, verbose=0)
