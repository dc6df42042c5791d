"""Quantizes MobileNetV2 into all integer variants, by a converter call for each and from one calibration; timed.

Run by the Python that has TensorFlow: FOLDER SAMPLES. Prints, as JSON, the seconds of each way, and of which variants
the two files differ.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from litegate.engines.engine import Calibration, SourceModel
from litegate.engines.tf_converter import Engine
from litegate.variants import DOCUMENTED

import keras  # isort: skip

RECIPES = [variant.recipe for variant in DOCUMENTED.values() if variant.recipe.calibrated]


def mobilenet(folder: Path) -> SourceModel:
    """With 224x224 inputs and weights of chance."""
    keras.utils.set_random_seed(1)
    keras.applications.MobileNetV2(weights=None, input_shape=(224, 224, 3)).export(str(folder), verbose=False)
    return SourceModel(folder, tf.lite.TFLiteConverter.from_saved_model(str(folder)).convert())


def samples(model: SourceModel, count: int) -> Calibration:
    """Images of chance, by the names of the model's own signature."""
    signatures = tf.lite.Interpreter(model_content=model.float32).get_signature_list()
    ((key, signature),) = signatures.items()
    images = np.random.default_rng(1).uniform(-1, 1, (count, 224, 224, 3)).astype(np.float32)
    return Calibration({key: {signature["inputs"][0]: images}}, count)


def once(model: SourceModel, calibration: Calibration) -> dict[str, bytes]:
    """All variants from one calibration, that included."""
    engine = Engine()
    calibrated = engine.calibrate(model, RECIPES, calibration, _silent)
    assert calibrated is not None
    return {recipe.name: engine.quantize(calibrated.content, recipe) for recipe in RECIPES}


def each(model: SourceModel, calibration: Calibration) -> dict[str, bytes]:
    """A converter call for each variant."""
    return {recipe.name: Engine().make(model, recipe, calibration, _silent) for recipe in RECIPES}


def main(folder: Path, count: int) -> None:
    """Both ways, one after the other."""
    model = mobilenet(folder)
    calibration = samples(model, count)
    begin = time.perf_counter(), time.process_time()
    first = once(model, calibration)
    between = time.perf_counter(), time.process_time()
    second = each(model, calibration)
    end = time.perf_counter(), time.process_time()
    differ = [name for name, content in second.items() if first.get(name) != content]
    found = {"once": between[0] - begin[0], "each": end[0] - between[0], "differ": differ}
    print(json.dumps(found | {"once_cpu": between[1] - begin[1], "each_cpu": end[1] - between[1]}))


def _silent(*_: Any) -> None: ...


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
