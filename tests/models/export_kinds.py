"""Saves models of many kinds, exports each as litegate does, and prints what came of it as JSON.

Run by the Python that has TensorFlow: `export_kinds.py FOLDER`.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tf_keras

import keras  # isort: skip
import tensorflow as tf  # isort: skip

from litegate.records import ModelRef
from litegate.source.causes import RANDOM
from litegate.source.keras_export import export
from litegate.source.loading import load_keras, source_predictor
from litegate.source.saved_model import graphs_of

SHAPE = (16, 16, 3)
SPECIAL = {
    "RandomCrop": {"height": 12, "width": 12},
    "RandomTranslation": {"height_factor": 0.2, "width_factor": 0.2},
    "RandomZoom": {"height_factor": 0.2},
    "RandomPosterization": {"factor": 4},
}
ARGUMENTS = {"factor": 0.3, "rate": 0.5, "stddev": 0.5, "seed": 3}
OTHER_RANKS = {"SpatialDropout1D", "SpatialDropout3D"}


def random_layers() -> Iterator[tuple[str, Any]]:
    """Every layer of Keras 3 that augments or regularizes images by chance."""
    for name, kind in sorted(vars(keras.layers).items()):
        chance = inspect.isclass(kind) and ("preprocessing" in kind.__module__ or "regularization" in kind.__module__)
        if chance and "seed" in _arguments(kind) and name not in OTHER_RANKS:
            given = {key: value for key, value in ARGUMENTS.items() if key in _arguments(kind)}
            yield name, kind(**(given | SPECIAL.get(name, {})))


def _arguments(kind: type) -> list[str]:
    return list(inspect.signature(kind.__init__).parameters)


def image_models() -> Iterator[tuple[str, Any]]:
    for name, layer in random_layers():
        image = keras.Input(SHAPE, name="image")
        yield name, keras.Model(image, keras.layers.GlobalAveragePooling2D()(layer(image)))
    image = keras.Input(SHAPE, name="image")
    normal = keras.layers.BatchNormalization(name="normal")
    model = keras.Model(image, keras.layers.GlobalAveragePooling2D()(normal(image)))
    normal.set_weights([np.full(3, value, np.float32) for value in (2.0, 1.0, 0.5, 4.0)])
    yield "BatchNormalization", model


def structured_models() -> Iterator[tuple[str, Any]]:
    a, b, c = (keras.Input((4,), name=name) for name in "abc")
    dense = keras.layers.Dense
    yield "list of 12", keras.Model(a, [dense(2)(a) for _ in range(12)])
    outputs = {"p": [dense(2)(a), dense(2)(b)], "q": {"r": dense(2)(c)}}
    yield "nested", keras.Model({"x": {"a": a, "b": b}, "z": [c]}, outputs)
    fixed = keras.Input((4,), batch_size=4, name="a")
    yield "batch of 4", keras.Model(fixed, keras.ops.reshape(dense(6)(fixed), (4, 2, 3)))
    x, y = (tf_keras.Input((4,), name=name) for name in "xy")
    yield "Keras 2 dict", tf_keras.Model({"y": y, "x": x}, tuple(tf_keras.layers.Dense(2)(t) for t in (x, y)))


def half_models() -> Iterator[tuple[str, Any]]:
    for name, library in (("keras", keras), ("tf_keras", tf_keras)):
        library.mixed_precision.set_global_policy("mixed_float16")
        layers = [library.layers.Input((4,), name="a"), library.layers.Dense(8), library.layers.Dense(2)]
        yield f"half in {name}", library.Sequential(layers)
        library.mixed_precision.set_global_policy("float32")


def _chance(operator: str) -> bool:
    """Whether an operator draws or keeps something; of a constant seed the same is drawn each time, for nobody."""
    return operator.startswith("Assign") or bool(RANDOM.fullmatch(operator) and not operator.startswith("Stateless"))


def result(folder: Path, model: Any, ending: str) -> dict[str, Any]:
    """What the exported model takes, gives and draws, and how far its answers are from the model's own."""
    folder.mkdir()
    path = folder / f"model.{ending}"
    model.save(path)
    reference = ModelRef(uri=str(path), format=ending, digest="0" * 64, files=())
    loaded, change = load_keras(folder, reference)
    export(loaded, str(folder / "saved"))
    signature = tf.saved_model.load(str(folder / "saved")).signatures["serving_default"]
    specs = signature.structured_input_signature[1]
    rng = np.random.default_rng(1)
    features = {n: rng.uniform(size=(8, *s.shape[1:])).astype(np.float32) for n, s in specs.items()}
    names = sorted(signature.structured_outputs)
    ours = source_predictor(folder, reference, "serving_default")(features, names)
    rows = next(iter(specs.values())).shape[0] or 8
    exported = signature(**{name: tf.constant(value[:rows]) for name, value in features.items()})
    drawn = [n.operator for g in graphs_of(folder / "saved", "x") for n in g.run_by_signatures()]
    return {
        "change": change,
        "inputs": {name: list(spec.shape) for name, spec in specs.items()},
        "outputs": names,
        "rows": [len(ours[name]) for name in names],
        "chance": sorted({name for name in drawn if _chance(name)}),
        "difference": max(float(np.abs(np.asarray(exported[n]) - ours[n][:rows]).max()) for n in names),
        "dtypes": sorted({str(weight.dtype) for weight in loaded.get_weights()}),
    }


def main(folder: Path) -> None:
    made = [*image_models(), *structured_models(), *half_models()]
    found = {}
    for name, model in made:
        ending = "h5" if not isinstance(model, keras.Model) else "keras"
        found[name] = result(folder / name.replace(" ", "_"), model, ending)
    (folder / "found.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
