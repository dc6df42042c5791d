"""The steps on real models: every way a model is saved, every variant, every kind of calibration data."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from litegate import records
from litegate.datasets.representative import load_samples
from litegate.errors import BadInput, StepFailed
from litegate.execution.step_run import BadStepInput
from litegate.storage.workspace import Workspace
from litegate.variants import BASELINE, DOCUMENTED

pytestmark = pytest.mark.e2e

Make = Callable[..., Any]

SOURCES = [
    "keras3.keras",
    "keras3.h5",
    "keras3_saved_model",
    "keras2.h5",
    "keras2.keras",
    "keras2_saved_model",
]


@pytest.mark.parametrize("source", SOURCES)
def test_every_kind_of_source_model_converts_and_agrees_with_itself(pipeline: Make, source: str) -> None:
    steps = pipeline(source)
    conversion_check = steps.conversion_check()
    assert conversion_check.samples == 100
    assert conversion_check.agreement == 1.0
    assert 0 <= conversion_check.max_abs_difference < 1e-4
    assert steps.score(steps.evaluate(steps.convert().artifact)) > 0.95


@pytest.mark.parametrize("variant", sorted(set(DOCUMENTED) - {BASELINE}))
def test_every_variant_is_built_with_the_inputs_and_outputs_asked_for(pipeline: Make, variant: str) -> None:
    steps = pipeline("keras3.keras")
    artifact = steps.quantize(variant)
    (signature,) = artifact.signatures.values()
    assert {spec.dtype for spec in (*signature.inputs.values(), *signature.outputs.values())} == {
        DOCUMENTED[variant].recipe.io
    }
    assert artifact.file.bytes < 0.75 * steps.convert().artifact.file.bytes
    evaluated = steps.evaluate(artifact)
    assert (evaluated.samples, evaluated.artifact_digest) == (600, artifact.file.digest)
    assert steps.score(evaluated) > 0.9


def test_a_variant_that_the_converter_refuses_fails(pipeline: Make) -> None:
    with pytest.raises(StepFailed, match="not yet supported for op: 'SIN'") as raised:
        pipeline("sine.keras").quantize("int16x8")
    assert raised.value.kind == "unsupported"


def test_float_operators_are_allowed_where_the_variant_allows_them(pipeline: Make) -> None:
    assert pipeline("sine.keras").quantize("int8_float_fallback").file.bytes > 0


def test_sampling_is_stratified_and_the_same_for_the_same_seed(pipeline: Make) -> None:
    steps = pipeline("keras3.keras")
    first = steps.sample()
    assert (first.samples, first.available, first.labels) == (100, 160, {"0": 25, "1": 25, "2": 25, "3": 25})
    other = pipeline("keras3.keras")
    other.spec = other.spec.model_copy(update={"calibration": other.spec.calibration.model_copy(update={"seed": 18})})
    assert other.sample().file.digest != first.file.digest


def test_a_second_run_finds_every_result(pipeline: Make, caplog: pytest.LogCaptureFixture) -> None:
    steps = pipeline("keras3.keras")
    first = steps.convert()
    caplog.set_level("INFO", "litegate")
    assert steps.convert() == first
    _, name = caplog.text.strip().rsplit("convert: found the result of an earlier run: ", 1)
    assert Path(steps.places.workspace, name).is_file(), "whoever wants it computed again knows what to remove"


def test_several_inputs_are_fed_by_name(pipeline: Make) -> None:
    steps = pipeline("two_inputs.keras", calibration="pair.npz", evaluation="pair.npz")
    assert steps.conversion_check().agreement == 1.0
    (signature,) = steps.quantize("int8").signatures.values()
    assert set(signature.inputs) == {"left", "right"}


def test_independent_labels_are_no_classes_whatever_the_shape_of_the_output(pipeline: Make, models: Path) -> None:
    (models / "tags.py").write_text(
        "class Right:\n    higher_is_better, range, per_sample = True, (0, 1), True\n"
        "    def score(self, outputs, labels):\n"
        "        (found,) = outputs.values()\n        return ((found > 0.5) == (labels > 0.5)).mean(axis=1)\n"
    )
    steps = pipeline("tagger.keras", calibration="tags.npz", evaluation="tags.npz")
    steps = steps.but(evaluation={"metric": "tags:Right"})
    check = steps.conversion_check()
    assert (check.agreement, check.max_abs_difference < 1e-6) == (None, True)
    assert steps.smoke(steps.convert().artifact).kernel_agreement is None
    evaluated = steps.evaluate(steps.quantize("int8"))
    assert (evaluated.predictions, evaluated.class_samples) == ({}, {})
    assert steps.score(evaluated) > 0.95


def test_scores_that_only_rounding_tells_apart_have_no_order(pipeline: Make) -> None:
    steps = pipeline("tagger.keras", calibration="tags.npz", evaluation="tags.npz")
    assert steps.conversion_check().agreement == 1.0


def test_arrays_without_names_are_refused_where_they_could_be_swapped(pipeline: Make, models: Path) -> None:
    one, two = (np.zeros((20, 4), np.float32) for _ in range(2))
    np.savez(models / "positional_pair.npz", one, two)
    with pytest.raises(BadInput, match="could be swapped"):
        pipeline("two_inputs.keras", calibration="positional_pair.npz").sample()


def test_arrays_without_names_feed_a_model_with_one_input(pipeline: Make, models: Path) -> None:
    with np.load(models / "calibration.npz") as arrays:
        np.savez(models / "positional.npz", arrays["image"], label=arrays["label"])
    named, positional = pipeline("keras3.keras"), pipeline("keras3.keras", calibration="positional.npz")
    assert positional.sample().file.digest == named.sample().file.digest


def test_several_signatures_are_calibrated_each_with_its_own_data(pipeline: Make) -> None:
    steps = pipeline("two_signatures", calibration="signatures.npz", evaluation="signatures.npz")
    chosen = steps.spec.evaluation.model_copy(update={"signature": "decode"})
    steps.spec = steps.spec.model_copy(update={"evaluation": chosen})
    samples = load_samples(Workspace(steps.places.workspace, steps.places.cache).fetch(steps.sample().file))
    assert {key: set(features) for key, features in samples.items()} == {"encode": {"x"}, "decode": {"code"}}
    assert steps.conversion_check().agreement == 1.0
    artifact = steps.quantize("int8")
    assert set(artifact.signatures) == {"encode", "decode"}
    types = {spec.dtype for signature in artifact.signatures.values() for spec in signature.inputs.values()}
    assert types == {"int8"}


def test_no_variant_passes_an_evaluation_that_means_nothing(pipeline: Make, models: Path) -> None:
    with np.load(models / "test.npz") as arrays:
        np.savez(models / "mislabelled.npz", image=arrays["image"], label=(arrays["label"] + 1) % 4)
    steps = pipeline("keras3.keras", evaluation="mislabelled.npz", gate={"max_drop": 0.1})
    request = records.GateRequest(
        policy=steps.spec.gate,
        target="cpu",
        variants=("int8",),
        baseline=steps.candidate(steps.convert().artifact),
        candidates=(steps.candidate(steps.quantize("int8")),),
    )
    for allowed, state in ((("chance",), "passed"), (None, "passed"), ((), "failed")):
        asked = request.model_copy(update={"allow_evaluation": allowed})
        verdict = steps.step("gate", asked).verdicts[1]
        assert verdict.state == state, verdict
    assert verdict.reasons[0].code == "evaluation_chance"


def test_the_gate_judges_what_was_measured_and_fails_what_was_not(pipeline: Make) -> None:
    steps = pipeline("keras3.keras", gate={"max_drop": 0.02})
    request = records.GateRequest(
        policy=steps.spec.gate,
        target="microcontroller",
        variants=("int8", "float16", "uint8"),
        baseline=steps.candidate(steps.convert().artifact),
        candidates=(steps.candidate(steps.quantize("int8")), steps.candidate(steps.quantize("float16"))),
        failures=(records.Failure(step="quantize", kind="segfault", message="SIGSEGV", variant="uint8"),),
    )
    verdicts = {verdict.variant: verdict for verdict in steps.step("gate", request).verdicts}
    assert {name: verdict.state for name, verdict in verdicts.items()} == {
        BASELINE: "baseline",
        "int8": "passed",
        "float16": "failed",
        "uint8": "failed",
    }
    assert verdicts["float16"].reasons[0].code == "wrong_target"
    assert verdicts["uint8"].reasons[0].code == "quantize_segfault"


def test_fewer_samples_for_a_variant_are_a_subset_of_the_baselines(pipeline: Make) -> None:
    steps = pipeline("keras3.keras")
    artifact = steps.convert().artifact

    def seen(max_samples: int | None) -> set[int]:
        return set(steps.outcomes(steps.evaluate(artifact, max_samples=max_samples)).index.tolist())

    assert len(seen(50)) == 50
    assert seen(50) < seen(90) < seen(None)


def quarters_as_images(models: Path) -> None:
    from PIL import Image

    for split in ("calibration", "test"):
        with np.load(models / f"{split}.npz") as arrays:
            for index, (image, label) in enumerate(zip(arrays["image"], arrays["label"], strict=True)):
                path = models / f"{split}_images" / f"class{label}" / f"{index:04}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray((image[:, :, 0] * 255).astype(np.uint8)).save(path)
        shutil.make_archive(str(models / f"{split}_images"), "tar", models / f"{split}_images")


def test_images_in_a_folder_and_in_a_tar_give_the_same_through_preprocess(pipeline: Make, models: Path) -> None:
    quarters_as_images(models)
    (models / "scaling.py").write_text(
        "def to_unit(features, label):\n    return {name: value / 255 for name, value in features.items()}, label\n"
    )
    values = set()
    for ending in ("", ".tar"):
        keys = {"preprocess": "scaling:to_unit"}
        steps = pipeline("keras3.keras", f"calibration_images{ending}", f"test_images{ending}", **keys)
        evaluated = steps.evaluate(steps.convert().artifact)
        assert evaluated.classes == ("class0", "class1", "class2", "class3")
        values.add(steps.score(evaluated))
        assert steps.sample().labels == {"0": 25, "1": 25, "2": 25, "3": 25}
    assert len(values) == 1
    assert values.pop() > 0.95


BAD_MODELS = [
    ("nothing.keras", "model.uri.*nothing at"),
    ("test.npz", "a model that|architecture"),
    ("lambda.keras", "the Lambda layer 'lambda"),
    ("nan_weights.keras", "finite outputs of the source model"),
    ("damaged.keras", "whole Keras file"),
    ("text.h5", "got a file of b'hell'"),
    ("empty", "nothing at|files without"),
]


@pytest.mark.parametrize(("source", "message"), BAD_MODELS)
def test_a_bad_model_is_bad_input(pipeline: Make, models: Path, source: str, message: str) -> None:
    (models / "damaged.keras").write_bytes((models / "keras3.keras").read_bytes()[:5000])
    (models / "text.h5").write_text("hello")
    (models / "empty").mkdir(exist_ok=True)
    with pytest.raises(BadStepInput, match=message):
        pipeline(source).conversion_check()


def bad_arrays(models: Path) -> dict[str, dict[str, Any]]:
    with np.load(models / "calibration.npz") as arrays:
        image, label = arrays["image"], arrays["label"]
    holed, flooded = image.copy(), image.copy()
    holed[3, 0, 0, 0], flooded[5, 0, 0, 0] = np.nan, np.inf
    return {
        "float64": {"image": image.astype(np.float64), "label": label},
        "uint8": {"image": image.astype(np.uint8), "label": label},
        "shape": {"image": image[:, :7], "label": label},
        "no batch axis": {"image": image[0], "label": label[:8]},
        "wrong name": {"picture": image, "label": label},
        "extra array": {"image": image, "mask": image, "label": label},
        "lengths": {"image": image, "label": label[:5]},
        "objects": {"image": np.array([object()] * 4), "label": label[:4]},
        "NaN": {"image": holed, "label": label},
        "infinity": {"image": flooded, "label": label},
        "no samples": {"image": image[:0], "label": label[:0]},
        "only labels": {"label": label},
        "label too large": {"image": image, "label": label + 1},
        "negative label": {"image": image, "label": label - 1},
        "label as float": {"image": image, "label": label.astype(np.float32)},
        "label as text": {"image": image, "label": label.astype(str)},
        "no label": {"image": image},
    }


BAD_DATA = [
    ("float64", "expected type|to be type float32, got float64"),
    ("uint8", "got uint8"),
    ("shape", r"\(batch, 8, 8, 1\), got \(\d+, 7, 8, 1\)"),
    ("no batch axis", r"shape \(batch, 8, 8, 1\)"),
    ("wrong name", "image, got picture"),
    ("extra array", "image, got image, mask"),
    ("lengths", "the same number of samples"),
    ("objects", "never unpickled"),
    ("NaN", "NaN or infinity in sample 3"),
    ("infinity", "NaN or infinity in sample 5"),
    ("no samples", "at least one sample"),
    ("only labels", "one array per input"),
    ("label too large", "labels from 0 to 3, got 4"),
    ("negative label", "labels from 0 to 3, got -1"),
    ("label as float", r"integers of shape \(samples,\) as labels for top1, .*if they are numbers of classes, save"),
    ("label as text", r"array 'label': expected numbers, integers .*, got <U21 of shape"),
    ("no label", "labels, which top1 needs"),
]


@pytest.mark.parametrize(("case", "message"), BAD_DATA)
def test_a_bad_evaluation_set_is_bad_input(pipeline: Make, models: Path, case: str, message: str) -> None:
    np.savez(models / f"{case}.npz", **bad_arrays(models)[case])
    steps = pipeline("keras3.keras", evaluation=f"{case}.npz")
    with pytest.raises(BadStepInput, match=message):
        steps.evaluate(steps.convert().artifact)


PREPROCESS = """
def raises(features, label): raise ValueError('boom')
def nothing(features, label): return None
def double(features, label): return {name: value.astype('float64') for name, value in features.items()}, label
def text(features, label): return features, 'cat'
def shifted(features, label): return features, label + 100
def unlabelled(features, label): return features, None
"""
BAD_PREPROCESS = [
    ("wrong:none", "preprocess: expected the module wrong, .* got no such module"),
    ("bad_code:none", "a function none in"),
    ("bad_code:raises", r"preprocess: expected a pair .* got ValueError: boom for sample \d+"),
    ("bad_code:nothing", "got NoneType for sample"),
    ("bad_code:double", "to be type float32, got float64"),
    ("bad_code:text", "preprocess: expected an integer label, got 'cat' for sample"),
    ("bad_code:shifted", r"preprocess: expected labels from 0 to 3, got 10\d for sample \d+"),
    ("bad_code:unlabelled", "preprocess: expected an integer label, got None for sample"),
]


@pytest.mark.parametrize(("source", "message"), BAD_PREPROCESS)
def test_a_preprocess_that_cannot_be_used_is_bad_input(pipeline: Make, models: Path, source: str, message: str) -> None:
    (models / "bad_code.py").write_text(PREPROCESS)
    steps = pipeline("keras3.keras", preprocess=source)
    with pytest.raises(BadStepInput, match=message):
        steps.evaluate(steps.convert().artifact)


def test_several_signatures_without_a_choice_are_bad_input(pipeline: Make) -> None:
    with pytest.raises(BadStepInput, match=r"evaluation\.signature: expected one of decode, encode, got None"):
        pipeline("two_signatures", calibration="signatures.npz", evaluation="signatures.npz").conversion_check()
