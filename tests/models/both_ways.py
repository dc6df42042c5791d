"""Quantizes models from one calibration and by a call of the converter for each variant; run by TensorFlow's Python.

Takes the path of a JSON file with `{name: {saved_model, float32, samples}}`, and prints by model and variant what each
way gave: a digest, or why there is no file. Both are None where the engine does not calibrate once for the variant.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf

from litegate.datasets.representative import load_samples
from litegate.digest import digest_bytes
from litegate.engines.engine import Calibration, Refused, SourceModel
from litegate.engines.tf_converter import Engine
from litegate.variants import DOCUMENTED, Recipe

RECIPES = [variant.recipe for variant in DOCUMENTED.values() if variant.recipe.calibrated]


def outcome(make: Callable[[], bytes]) -> str:
    try:
        return digest_bytes(make())
    except Refused as refusal:
        return refusal.detail


def both_ways(saved_model: str, float32: str, samples: str) -> dict[str, dict[str, str | None]]:
    engine = Engine()
    model = SourceModel(Path(saved_model), Path(float32).read_bytes())
    loaded = load_samples(Path(samples))
    calibration = Calibration(loaded, len(next(iter(next(iter(loaded.values())).values()))))
    calibrated = engine.calibrate(model, RECIPES, calibration, _silent)

    def once(recipe: Recipe) -> str | None:
        if calibrated is None or recipe.name not in calibrated.recipes:
            return None
        return outcome(lambda: engine.quantize(calibrated.content, recipe))

    def alone(recipe: Recipe) -> str:
        return outcome(lambda: engine.make(model, recipe, calibration, _silent))

    found = {recipe: once(recipe) for recipe in RECIPES}
    return {recipe.name: {"once": each, "alone": each and alone(recipe)} for recipe, each in found.items()}


def _silent(*_: Any) -> None: ...


if __name__ == "__main__":
    models = json.loads(Path(sys.argv[1]).read_text())
    print(
        json.dumps({"tensorflow": tf.__version__, "models": {name: both_ways(**each) for name, each in models.items()}})
    )
