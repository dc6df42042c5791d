"""The digits example: disjoint splits, and a model that is good and the same each time."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from litegate.errors import BadInput
from litegate.examples.digits import SPLITS, prepare
from litegate.settings import settings

pytestmark = pytest.mark.e2e

TRAIN_TWICE = """
import sys
from pathlib import Path
import keras
import numpy as np
from litegate.examples.digits import train

folder = Path(sys.argv[1])
test = np.load(folder / "test.npz")
weights = []
for epochs in (30, 1, 1):
    model = keras.models.load_model(train(folder, str(folder / "train.npz"), epochs))
    if epochs == 30:
        print("accuracy", float((model.predict(test["image"], verbose=0).argmax(1) == test["label"]).mean()))
        print("inputs", [tensor.name for tensor in model.inputs])
    weights.append(model.get_weights())
print("equal", all(np.array_equal(a, b) for a, b in zip(weights[1], weights[2])))
"""


def test_splits_are_disjoint_and_complete(tmp_path: Path) -> None:
    images = []
    for split, size in SPLITS.items():
        with np.load(prepare(tmp_path, split)) as arrays:
            assert arrays["image"].shape == (size, 8, 8, 1)
            assert (arrays["image"].dtype, arrays["label"].dtype) == (np.float32, np.int64)
            assert (arrays["image"].min(), arrays["image"].max()) == (0.0, 1.0)
            assert set(arrays["label"]) == set(range(10))
            images += [image.tobytes() for image in arrays["image"]]
    assert len(set(images)) == len(images) == 1797


def test_the_same_split_is_the_same_each_time(tmp_path: Path) -> None:
    first = prepare(tmp_path, "test").read_bytes()
    with np.load(prepare(tmp_path, "test")) as again, np.load(tmp_path / "test.npz") as arrays:
        assert np.array_equal(again["image"], arrays["image"])
    assert len(first) == (tmp_path / "test.npz").stat().st_size


def test_an_unknown_split_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="expected one of train, calibration, test, got 'validation'"):
        prepare(tmp_path, "validation")


def test_training_is_good_and_repeatable(tmp_path: Path) -> None:
    for split in SPLITS:
        prepare(tmp_path, split)
    command = [settings().pythons["tensorflow"], "-c", TRAIN_TWICE, tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    said = dict(line.split(" ", 1) for line in done.stdout.splitlines() if line.startswith(("acc", "inp", "equ")))
    assert float(said["accuracy"]) >= 0.97
    assert said["inputs"] == "['image']"
    assert said["equal"] == "True"
