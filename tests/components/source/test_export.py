"""Models of many kinds, exported as the step `convert` does it; TensorFlow runs in one process for all of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.models.once import Maker

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[3]
PROGRAM = ROOT / "tests" / "models" / "export_kinds.py"
SOURCES = (PROGRAM, *sorted((ROOT / "components" / "litegate" / "source").glob("*.py")))
AUGMENTING = {"RandomFlip", "RandomRotation", "RandomContrast", "RandomCrop", "RandomZoom", "RandAugment", "MixUp"}
REGULARIZING = {"Dropout", "GaussianNoise", "GaussianDropout", "AlphaDropout", "SpatialDropout2D"}


@pytest.fixture(scope="session")
def found(maker: Maker, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = maker.make(tmp_path_factory.mktemp("kinds"), str(PROGRAM), "{folder}", sources=SOURCES)
    result: dict[str, Any] = json.loads((folder / "found.json").read_text())
    return result


def test_every_random_layer_of_keras_is_exported_for_inference(found: dict[str, Any]) -> None:
    images = {name: each for name, each in found.items() if "image" in each["inputs"]}
    assert images.keys() > AUGMENTING | REGULARIZING | {"BatchNormalization"}
    assert {name: each["chance"] for name, each in images.items() if each["chance"]} == {}
    assert {name: each["difference"] for name, each in images.items() if each["difference"] > 1e-5} == {}


def test_outputs_and_inputs_have_names_in_any_structure(found: dict[str, Any]) -> None:
    assert set(found["list of 12"]["outputs"]) == {f"output_{number}" for number in range(12)}
    assert found["nested"]["outputs"] == ["p_0", "p_1", "q_r"]
    assert set(found["nested"]["inputs"]) == {"a", "b", "c"}
    assert found["Keras 2 dict"]["outputs"] == ["output_0", "output_1"]
    for name in ("list of 12", "nested", "Keras 2 dict"):
        assert found[name]["difference"] < 1e-6


def test_a_fixed_batch_is_kept_and_any_number_of_samples_goes_through_it(found: dict[str, Any]) -> None:
    assert found["batch of 4"]["inputs"] == {"a": [4, 4]}
    assert found["batch of 4"]["rows"] == [8]
    assert found["batch of 4"]["difference"] < 1e-6


@pytest.mark.parametrize("name", ["half in keras", "half in tf_keras"])
def test_half_precision_is_loaded_as_float32(found: dict[str, Any], name: str) -> None:
    assert found[name]["change"] == "float32 in place of mixed_float16"
    assert found[name]["dtypes"] == ["float32"]
    assert found[name]["difference"] < 1e-6
