"""Files that somebody brought: a .tflite file as the source model, and finished files beside the variants."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from litegate.errors import BadInput, StepFailed
from litegate.runtimes.litert import LiteRTModel
from litegate.settings import Settings
from litegate.storage.workspace import Workspace
from tests.single_steps import Steps

pytestmark = pytest.mark.e2e

Make = Callable[..., Steps]


@pytest.fixture
def files(pipeline: Make, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `float32.tflite` and `int8.tflite` of one model, and with what the first gives."""
    steps, folder = pipeline("keras3.keras"), tmp_path_factory.mktemp("files")
    workspace = Workspace(steps.places.workspace, steps.places.cache)
    for artifact in (steps.convert().artifact, steps.quantize("int8")):
        shutil.copyfile(workspace.fetch(artifact.file), folder / f"{artifact.variant}.tflite")
    model = LiteRTModel((folder / "float32.tflite").read_bytes())
    (name,) = model.inputs
    features = {name: np.random.default_rng(17).random((5, *model.inputs[name].shape[1:]), np.float32)}
    outputs = model.predict(features)
    np.savez(folder / "recorded.npz", **features, **outputs)
    np.savez(folder / "other.npz", **features, **{key: value + 1 for key, value in outputs.items()})
    return folder


@pytest.fixture
def given(models: Path, places: Settings, files: Path) -> Make:
    """Makes a `Steps` whose model is the float32 file, unless told otherwise."""

    def make(uri: str | Path = "float32.tflite", recorded: str | None = None, **keys: Any) -> Steps:
        model = {"name": "test", "uri": str(files / uri)}
        model |= {} if recorded is None else {"recorded_outputs": str(files / recorded)}
        data = {name: {"uri": str(models / f"{name}.npz"), "format": "npz"} for name in ("calibration", "test")}
        sections = {"calibration": data["calibration"] | {"samples": 100}, "evaluation": data["test"]}
        return Steps(models, places, model=model, **sections, **keys)

    return make


def candidate(files: Path, name: str = "int8.tflite") -> dict[str, Any]:
    return {"candidates": [{"name": "mine", "uri": str(files / name)}]}


def test_a_tflite_file_is_the_baseline_as_it_is(given: Make, files: Path) -> None:
    steps = given()
    converted = steps.convert_for_data()
    workspace = Workspace(steps.places.workspace, steps.places.cache)
    assert workspace.fetch(converted.artifact.file).read_bytes() == (files / "float32.tflite").read_bytes()
    assert converted.saved_model == ()
    assert "tensorflow" not in converted.tools


def test_its_variants_are_made_by_the_engine_that_can(given: Make) -> None:
    steps = given(variants=["dynamic_range", "int8_float_fallback"])
    for variant in steps.spec.quantized_variants:
        artifact = steps.quantize(variant)
        assert artifact.file.bytes < 0.75 * steps.convert().artifact.file.bytes
        assert steps.score(steps.evaluate(artifact)) > 0.9


def test_nothing_to_compare_it_with_is_said(given: Make) -> None:
    check = given().conversion_check()
    assert (check.compared_with, check.max_abs_difference, check.samples) == ("nothing", None, 0)
    assert "nothing is known of what its source gave" in check.warnings[0]


def test_it_is_compared_with_what_was_recorded(given: Make) -> None:
    check = given(recorded="recorded.npz").conversion_check()
    assert (check.compared_with, check.samples, check.warnings) == ("recorded outputs", 5, ())
    assert check.max_abs_difference == 0.0


def test_a_file_that_gives_something_else_than_was_recorded_is_refused(given: Make) -> None:
    with pytest.raises(BadInput, match=r"expected a float32 conversion within .*, got a difference of 1 in output"):
        given(recorded="other.npz").conversion_check()


def test_what_was_recorded_of_a_model_that_can_be_run_is_refused(given: Make, models: Path) -> None:
    with pytest.raises(BadInput, match=r"model.recorded_outputs: expected none for a model that can be run itself"):
        given(models / "keras3.keras", recorded="recorded.npz").resolve()


def test_the_converter_of_tensorflow_is_refused(given: Make) -> None:
    with pytest.raises(BadInput, match=r"engine: expected litert_quantizer for a model that is a .tflite file"):
        given(engine="tf_converter", variants=["int8"]).resolve()


def test_a_quantized_file_is_no_baseline(given: Make) -> None:
    steps = given("int8.tflite")
    with pytest.raises(BadInput, match="expected a float32 model, since every variant is measured against it"):
        steps.inspect(steps.convert().artifact)


def test_a_finished_file_is_judged_as_it_is(pipeline: Make, files: Path) -> None:
    steps = pipeline("keras3.keras", **candidate(files))
    artifact = steps.quantize("mine")
    assert artifact.file.digest == steps.resolve().candidates["mine"].digest
    inspection = steps.inspect(artifact)
    assert (inspection.variant, inspection.scheme) == ("mine", "int8")
    assert steps.smoke(artifact).samples > 0
    assert steps.score(steps.evaluate(artifact)) > 0.9


def test_a_file_of_another_model_is_not_compared(pipeline: Make, files: Path) -> None:
    steps = pipeline("two_inputs.keras", calibration="pair.npz", evaluation="pair.npz", **candidate(files))
    artifact = steps.quantize("mine")
    with pytest.raises(StepFailed, match="mine: signature serving_default lost inputs or outputs"):
        steps.inspect(artifact)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no model at all", "a file of"),
        (b"\x1c\x00\x00\x00TFL3" + bytes(100), "damaged"),
        (b"", "an empty file"),
    ],
    ids=["other", "damaged", "empty"],
)
def test_what_is_no_finished_file_is_refused_by_name(pipeline: Make, tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "mine.tflite").write_bytes(content)
    with pytest.raises(BadInput, match=rf"candidates.mine .*{said}"):
        pipeline("keras3.keras", **candidate(tmp_path, "mine.tflite")).resolve()


def test_a_model_that_is_yet_to_be_converted_is_no_finished_file(pipeline: Make, models: Path) -> None:
    with pytest.raises(BadInput, match=r"expected a finished .tflite file, got a .keras file, by its first bytes"):
        pipeline("keras3.keras", **candidate(models, "keras3.keras")).resolve()


WITHOUT_TENSORFLOW = """
import sys
sys.modules.update(dict.fromkeys(("tensorflow", "keras", "tf_keras", "h5py")))
from importlib import import_module
from pathlib import Path
from litegate.engines import engine_row, load_engine
from litegate.source.check import check_model

for step in sys.argv[1:]:
    import_module(f"litegate.steps.{step}")
check_model(Path(), "tflite", "m.tflite")
load_engine(engine_row("litert_quantizer"))
"""


def test_a_tflite_file_needs_no_tensorflow(places: Settings) -> None:
    steps = ("resolve", "convert", "sample", "lint", "conversion_check", "quantize", "inspect", "smoke", "evaluate")
    command = [places.pythons["tensorflow"], "-c", WITHOUT_TENSORFLOW, *steps, "benchmark"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


RULES = [
    {
        "regex": ".*",
        "operation": "*",
        "algorithm_key": "min_max_uniform_quantize",
        "op_config": {
            "weight_tensor_config": {"num_bits": 8, "symmetric": True, "granularity": "CHANNELWISE", "dtype": "INT"},
            "compute_precision": "INTEGER",
            "explicit_dequantize": False,
            "skip_checks": False,
            "min_weight_elements": 0,
        },
    }
]


def recipe(folder: Path, rules: Any) -> dict[str, Any]:
    (folder / "recipe.json").write_text(json.dumps(rules))
    return {"candidates": [{"name": "by_rules", "recipe": str(folder / "recipe.json")}]}


def test_a_recipe_of_ones_own_makes_what_the_quantizer_makes_by_it(given: Make, tmp_path: Path) -> None:
    steps = given(variants=["dynamic_range"], **recipe(tmp_path, RULES))
    assert steps.spec.quantized_variants == ("dynamic_range", "by_rules")
    assert steps.quantize("by_rules").file.digest == steps.quantize("dynamic_range").file.digest


def test_a_recipe_that_needs_samples_gets_them(given: Make, tmp_path: Path) -> None:
    eight = {"num_bits": 8, "symmetric": False, "granularity": "TENSORWISE", "dtype": "INT"}
    static = RULES[0] | {"op_config": RULES[0]["op_config"] | {"activation_tensor_config": eight}}
    steps = given(**recipe(tmp_path, [static]))
    artifact = steps.quantize("by_rules")
    assert {spec.dtype for spec in artifact.signatures["serving_default"].inputs.values()} == {"int8"}
    assert steps.score(steps.evaluate(artifact)) > 0.9


def test_a_recipe_by_which_nearly_everything_stays_in_float_is_found_out(given: Make, tmp_path: Path) -> None:
    steps = given(**recipe(tmp_path, [RULES[0] | {"operation": "BATCH_MATMUL"}]))
    with pytest.raises(StepFailed, match="by its recipe 100% of the weights stay in float32, at most half may: "):
        steps.quantize("by_rules")


def test_what_the_quantizer_does_not_understand_it_says_itself(given: Make, tmp_path: Path) -> None:
    steps = given(**recipe(tmp_path, [RULES[0] | {"algorithm_key": "magic"}]))
    with pytest.raises(StepFailed, match=r"LiteRT's quantizer refused by_rules: .*magic"):
        steps.quantize("by_rules")


def test_what_is_no_recipe_is_refused_before_anything_is_computed(given: Make, tmp_path: Path) -> None:
    steps = given(**recipe(tmp_path, {"rules": []}))
    with pytest.raises(BadInput, match=r"candidates.by_rules .*recipe.json: expected a list of rules .*, got dict"):
        steps.resolve()
