"""Writes MobileNetV2 (224x224, 10 classes, untrained) in all variants of the documentation.

.venv-tensorflow/bin/python tests/benchmarks/mobilenet.py FOLDER SAMPLES
"""

from __future__ import annotations

import sys
from pathlib import Path

import keras
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
import script  # a folder of scripts, no package, in the environment with TensorFlow

if __name__ == "__main__":
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(7)
    model = keras.applications.MobileNetV2(weights=None, classes=10)
    samples = np.random.default_rng(7).uniform(0, 255, (count, 224, 224, 3)).astype(np.float32)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    model(samples, training=True)  # else the activations fade from layer to layer, and 16x8 has no scales for that
    for variant in script.VARIANTS:
        (folder / f"{variant}.tflite").write_bytes(script.convert(model, variant, samples))
