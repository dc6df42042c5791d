"""Inspection and smoke run on real files, good, mislabelled, broken and dying, in child processes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from litegate.datasets.representative import save_samples
from litegate.errors import StepFailed
from litegate.execution.step_run import BadStepInput
from litegate.inspection.tflite import describe
from litegate.records import Artifact, FileRef, SampleSet
from litegate.storage.workspace import Workspace
from litegate.variants import BASELINE, DOCUMENTED
from tests.models.unpacking import Model

pytestmark = pytest.mark.e2e

Make = Callable[..., Any]


class Files:
    """Any bytes as an artifact of the pipeline's, inspected and run beside its float32 file."""

    def __init__(self, steps: Any, folder: Path) -> None:
        self.steps, self.folder = steps, folder
        self.workspace = Workspace(steps.places.workspace, steps.places.cache)

    def artifact(self, variant: str, content: bytes, signatures: Any = None) -> Artifact:
        return Artifact(variant=variant, file=self._keep(content), signatures=signatures or describe(content))

    def content(self, artifact: Artifact) -> bytes:
        return self.workspace.fetch(artifact.file).read_bytes()

    def unpacked(self, variant: str) -> Model:
        return Model(self.content(self.steps.quantize(variant)))

    def samples(self, **features: Any) -> SampleSet:
        path = self.folder / "samples.npz"
        save_samples(path, {"serving_default": features})
        size = len(next(iter(features.values())))
        return SampleSet(file=self._keep(path.read_bytes()), samples=size, available=size, labels={})

    def _keep(self, content: bytes) -> FileRef:
        path = self.folder / "content"
        path.write_bytes(content)
        return self.workspace.keep_file(path, "file")


@pytest.fixture
def files(pipeline: Make, tmp_path: Path) -> Files:
    return Files(pipeline("keras3.keras"), tmp_path)


@pytest.mark.parametrize("variant", DOCUMENTED)
def test_every_variant_is_what_it_is_called_and_runs(files: Files, variant: str) -> None:
    steps = files.steps
    artifact = steps.convert().artifact if variant == BASELINE else steps.quantize(variant)
    found = steps.inspect(artifact)
    assert (found.variant, found.artifact_digest) == (variant, artifact.file.digest)
    assert found.findings == ()
    assert set(found.inputs.values()) == {DOCUMENTED[variant].recipe.io}
    smoke = steps.smoke(artifact)
    assert (smoke.artifact_digest, smoke.samples, smoke.reference_samples) == (artifact.file.digest, 32, 32)
    assert (smoke.constant, smoke.kernel_agreement, smoke.warnings) == (False, 1.0, ())


WRONG = [
    ("sine.keras", "int8", r"no int8: operators that compute in float: SIN \(1\); it is not integer only"),
    ("sine.keras", "uint8", r"no uint8: operators that compute in float: SIN \(1\)"),
]


@pytest.mark.parametrize(("source", "variant", "message"), WRONG)
def test_a_float_operator_inside_makes_it_another_scheme(
    pipeline: Make, source: str, variant: str, message: str
) -> None:
    steps = pipeline(source)
    with pytest.raises(StepFailed, match=message) as raised:
        steps.inspect(steps.quantize(variant))
    assert raised.value.kind == "wrong_scheme"


def test_float_operators_are_counted_where_they_are_allowed(pipeline: Make) -> None:
    steps = pipeline("sine.keras")
    found = steps.inspect(steps.quantize("int8_float_fallback"))
    assert (found.scheme, found.float_names, found.islands, found.island_examples) == ("mixed", ("SIN",), 1, ("SIN",))
    assert found.float_share == 0.0


def test_a_float_file_that_is_called_int8_is_found_out(files: Files) -> None:
    float32 = files.steps.convert().artifact
    with pytest.raises(StepFailed, match="no int8: none of its operators computes in int8"):
        files.steps.inspect(float32.model_copy(update={"variant": "int8"}))


def test_inputs_of_another_type_are_found_out(files: Files) -> None:
    uint8 = files.steps.quantize("uint8")
    with pytest.raises(StepFailed, match="was asked to be int8 and is uint8") as raised:
        files.steps.inspect(uint8.model_copy(update={"variant": "int8"}))
    assert raised.value.kind == "wrong_io"


@pytest.mark.parametrize("variant", ["int8", "float16", "dynamic_range"])
def test_a_quantized_file_is_no_baseline(files: Files, variant: str) -> None:
    artifact = files.steps.quantize(variant)
    with pytest.raises(BadStepInput, match=r"expected a float32 model, .* got one with .*: it is quantized already"):
        files.steps.inspect(artifact.model_copy(update={"variant": BASELINE}))


def test_what_breaks_the_specification_fails_what_is_for_integer_hardware(files: Files) -> None:
    model = files.unpacked("int8")
    bias = model.input("CONV_2D", 2)
    bias.quantization.scale = bias.quantization.scale * np.float32(2)
    content = model.packed()
    with pytest.raises(StepFailed, match=r"not scaled by its input's scale .*bias_scale") as raised:
        files.steps.inspect(files.artifact("int8", content))
    assert raised.value.kind == "specification"


def test_elsewhere_it_is_a_warning_on_record(files: Files) -> None:
    model = files.unpacked("int8_float_fallback")
    model.data(model.input("CONV_2D", 1))[0] = 128
    found = files.steps.inspect(files.artifact("int8_float_fallback", model.packed()))
    assert "weight_range" in {finding.code for finding in found.findings}
    assert found.blocking == ()


def test_bytes_that_are_no_model_fail_their_variant(files: Files) -> None:
    signatures = files.steps.convert().artifact.signatures
    with pytest.raises(StepFailed, match="int8: the bytes are no LiteRT model"):
        files.steps.inspect(files.artifact("int8", b"no model at all", signatures))


@pytest.mark.parametrize("factor", [-1, np.inf, np.nan])
def test_a_file_that_aborts_when_it_is_run_fails_its_variant(files: Files, inspected: Path, factor: float) -> None:
    """What one infinite calibration sample leaves in a 16x8 model: a scale that is none."""
    content = (inspected / "many.int16x8.tflite").read_bytes()
    model = Model(content)
    scales = model.output("ADD").quantization
    scales.scale = scales.scale * np.float32(factor)
    dying = files.artifact("int16x8", model.packed(), describe(content))
    with np.load(inspected / "samples.npz") as arrays:
        images = files.samples(image=arrays["image"])
    files.steps.sample = lambda: images
    with pytest.raises(StepFailed) as raised:
        files.steps.smoke(dying)
    assert raised.value.kind == "abort"


def test_a_model_that_answers_with_nan_fails(files: Files) -> None:
    model = Model(files.content(files.steps.convert().artifact))
    data = model.data(model.input("FULLY_CONNECTED", 1))
    data[:] = np.full(len(data) // 4, np.nan, np.float32).view(np.uint8)
    content = model.packed()
    with pytest.raises(StepFailed, match="NaN or infinite") as raised:
        files.steps.smoke(files.artifact("dynamic_range", content))
    assert raised.value.kind == "not_finite"
    with pytest.raises(BadStepInput, match=r"model\.uri .*finite outputs, got float32: its output"):
        files.steps.smoke(files.artifact(BASELINE, content))


def test_a_variant_that_answers_the_same_to_everything_fails_if_float32_does_not(files: Files) -> None:
    model = files.unpacked("int8")
    model.data(model.input("FULLY_CONNECTED", 1, number=1))[:] = 0
    content = model.packed()
    with pytest.raises(StepFailed, match="same outputs for all of 32 different samples, float32 does not") as raised:
        files.steps.smoke(files.artifact("int8", content))
    assert raised.value.kind == "constant"


def test_a_few_samples_with_equal_answers_are_a_warning(files: Files) -> None:
    model = files.unpacked("int8")
    model.data(model.input("FULLY_CONNECTED", 1, number=1))[:] = 0
    steps = files.steps
    image = np.random.default_rng(1).uniform(0, 1, (5, 8, 8, 1)).astype(np.float32)
    few = files.samples(image=image)
    steps.sample = lambda: few
    smoke = steps.smoke(files.artifact("int8", model.packed()))
    assert smoke.constant
    assert smoke.warnings == ("it gives the same outputs for all of 5 different samples",)


def test_a_baseline_that_answers_the_same_to_everything_is_a_warning(files: Files) -> None:
    model = Model(files.content(files.steps.convert().artifact))
    model.data(model.input("FULLY_CONNECTED", 1, number=1))[:] = 0
    assert len(files.steps.smoke(files.artifact(BASELINE, model.packed())).warnings) == 1


def test_a_model_that_keeps_state_is_not_measured(files: Files, inspected: Path) -> None:
    content = (inspected / "memory.float32.tflite").read_bytes()
    memory = files.artifact("dynamic_range", content)
    ones = files.samples(x=np.ones((9, 4), np.float32))
    files.steps.sample = lambda: ones
    with pytest.raises(StepFailed, match="others when the same samples come again") as raised:
        files.steps.smoke(memory)
    assert raised.value.kind == "not_repeatable"


@pytest.mark.parametrize("model", ["gru", "loop"])
def test_a_model_that_would_kill_the_calibrator_is_not_thrown_at_it(files: Files, inspected: Path, model: str) -> None:
    baseline = files.artifact(BASELINE, (inspected / f"{model}.float32.tflite").read_bytes())
    converted = files.steps.convert().model_copy(update={"artifact": baseline})
    sampled = files.steps.sample()
    files.steps.convert, files.steps.sample = lambda: converted, lambda: sampled
    with pytest.raises(StepFailed, match=r"int8: the calibrator of TensorFlow cannot run this model") as raised:
        files.steps.quantize("int8")
    assert raised.value.kind == "unsupported"
    assert model == "loop" or files.steps.quantize("dynamic_range").file.bytes > 0
