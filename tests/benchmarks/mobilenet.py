"""Writes MobileNetV2 (224x224, untrained) in the variants of the documentation's table of benefits.

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
    model = keras.applications.MobileNetV2(weights=None)
    samples = np.random.default_rng(7).uniform(-1, 1, (count, 224, 224, 3)).astype(np.float32)
    for variant in ("float32", "dynamic_range", "float16", "int8"):
        (folder / f"{variant}.tflite").write_bytes(script.convert(model, variant, samples))
