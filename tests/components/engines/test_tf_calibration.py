"""One calibration gives every variant the bytes that the converter gives it, for every kind of model that there is."""

from __future__ import annotations

import ast
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import litegate.engines as engines
from litegate.datasets.representative import load_samples, save_samples
from litegate.records import Calibrated
from litegate.settings import Settings, settings
from litegate.storage.workspace import Workspace
from litegate.variants import DOCUMENTED
from tests.single_steps import Steps

pytestmark = pytest.mark.e2e

BOTH_WAYS = Path(__file__).parents[2] / "models/both_ways.py"
MODELS = {
    "keras3.keras": "calibration.npz",
    "keras2_saved_model": "calibration.npz",
    "sine.keras": "calibration.npz",
    "any_size.keras": "calibration.npz",
    "segmenter.keras": "masks.npz",
    "denoiser.keras": "waves.npz",
    "two_inputs.keras": "pair.npz",
    "two_signatures": "signatures.npz",
    "gru3.keras": "steps.npz",
    "tokens.keras": "tokens.npz",
}
"""By the data that calibrate them; those that differ only in how they were saved are left out."""

OTHERS = {"lstm2.h5": "steps.npz", "any_length.keras": "steps.npz"}
"""Of these the converter is not known to calibrate the same model again and again."""

INSPECTED = {"many": ("image", True), "lstm": ("wave", False), "fake": ("", False), "memory": ("", False)}
CALIBRATED = {name for name, variant in DOCUMENTED.items() if variant.calibrated}
SAMPLES = 12

Found = dict[str, dict[str, dict[str, str | None]]]


def new_steps(models: Path, places: Settings, source: str, data: str) -> Steps:
    section = {"uri": str(models / data), "format": "npz"}
    evaluation = section | ({"signature": "decode"} if source == "two_signatures" else {})
    return Steps(
        models,
        places,
        model={"name": "test", "uri": str(models / source)},
        calibration=section | {"samples": 100},
        evaluation=evaluation,
    )


def place_of(folder: Path, steps: Steps) -> dict[str, str]:
    """The files of a converted model as they lie in the workspace, with a few of its samples."""
    workspace = Workspace(steps.places.workspace, steps.places.cache)
    converted, samples = steps.convert(), load_samples(workspace.fetch(steps.sample().file))
    for ref in converted.saved_model:
        target = folder / "saved_model" / ref.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(workspace.fetch(ref))
    few = {key: {name: value[:SAMPLES] for name, value in each.items()} for key, each in samples.items()}
    save_samples(folder / "samples.npz", few)
    float32 = str(workspace.fetch(converted.artifact.file))
    return {"saved_model": str(folder / "saved_model"), "float32": float32, "samples": str(folder / "samples.npz")}


def place_of_inspected(folder: Path, inspected: Path, name: str, samples: str) -> dict[str, str]:
    folder.mkdir()
    value = np.zeros((SAMPLES, 4), np.float32) if not samples else np.load(inspected / "samples.npz")[samples][:SAMPLES]
    save_samples(folder / "samples.npz", {"serving_default": {"image" if samples == "image" else "x": value}})
    places = {"saved_model": f"{name}_saved_model", "float32": f"{name}.float32.tflite"}
    return {key: str(inspected / value) for key, value in places.items()} | {"samples": str(folder / "samples.npz")}


@pytest.fixture(scope="module")
def found(models: Path, inspected: Path, places: Settings, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What both ways gave, all models in one process."""
    folder = tmp_path_factory.mktemp("both_ways")
    given = {name: place_of_inspected(folder / name, inspected, name, row[0]) for name, row in INSPECTED.items()}
    for name, data in (MODELS | OTHERS).items():
        (folder / name).mkdir()
        given[name] = place_of(folder / name, new_steps(models, places, name, data))
    (folder / "given.json").write_text(json.dumps(given))
    command = [settings().pythons["tensorflow"], str(BOTH_WAYS), str(folder / "given.json")]
    quiet = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=quiet)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", [*MODELS, *(name for name, (_, covered) in INSPECTED.items() if covered)])
def test_one_calibration_gives_every_variant_the_bytes_or_the_refusal_of_the_converter(found: Any, name: str) -> None:
    outcomes = found["models"][name]
    assert set(outcomes) == CALIBRATED
    assert all(each["once"] for each in outcomes.values())
    assert {variant: each["once"] for variant, each in outcomes.items()} == {
        variant: each["alone"] for variant, each in outcomes.items()
    }


@pytest.mark.parametrize("name", [*OTHERS, *(name for name, (_, covered) in INSPECTED.items() if not covered)])
def test_what_has_state_or_loops_or_is_quantized_is_left_to_the_converter(found: Any, name: str) -> None:
    assert {each["once"] for each in found["models"][name].values()} == {None}


def test_the_version_of_tensorflow_is_one_that_this_was_shown_for(found: Any) -> None:
    """With another one all variants are calibrated one by one: add it to `PROVED` if the tests above pass with it."""
    source = (Path(engines.__file__).parent / "tf_converter.py").read_text()
    (proved,) = (
        node.value.args[0]
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "PROVED"
    )
    assert found["tensorflow"] in ast.literal_eval(proved)


def test_a_variant_is_quantized_from_the_calibrated_model_and_needs_nothing_else(
    models: Path, places: Settings
) -> None:
    steps = new_steps(models, places, "keras3.keras", "calibration.npz")
    once, float16 = steps.quantize("int8"), steps.quantize("float16")
    calibrated = steps.results.one(Calibrated, "calibrate")
    request = steps.request("quantize", "int8")
    assert (request.calibrated, request.saved_model, request.samples) == (calibrated.file, (), None)
    assert steps.request("quantize", "float16").samples is None
    alone = request.model_copy(
        update={"calibrated": None, "saved_model": steps.convert().saved_model, "samples": steps.sample()}
    )
    assert steps.step("quantize", alone).file == once.file
    assert float16.file != once.file


def test_a_model_that_cannot_be_calibrated_once_is_quantized_all_the_same(models: Path, places: Settings) -> None:
    steps = new_steps(models, places, "lstm2.h5", "steps.npz")
    assert steps.quantize("int8").file.bytes > 0
    assert steps.results.one(Calibrated, "calibrate") == Calibrated(file=None, variants=())
    request = steps.request("quantize", "int8")
    assert (request.calibrated, request.samples) == (None, steps.sample())
