"""The step `lint` on real datasets: what stops a run, what is only recorded, and every format through the steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from litegate import records
from litegate.datasets.representative import save_samples
from litegate.execution.step_run import BadStepInput
from litegate.storage.workspace import Workspace
from tests.components.datasets.writers import write

pytestmark = pytest.mark.e2e

Make = Callable[..., Any]
Array = np.ndarray[Any, np.dtype[Any]]


UNTRAINED = ("chance",)
"""What may be found about models that were made for their inputs and outputs alone."""


def lint(steps: Any, **changes: Any) -> records.Lint:
    resolved, choice = steps.resolve(), steps.spec.calibration
    request = records.LintRequest(
        samples=steps.sample(),
        artifact=steps.convert().artifact,
        calibration=resolved.calibration,
        evaluation=resolved.evaluation,
        seed=choice.seed,
        preprocess=resolved.preprocess,
        signature=steps.spec.evaluation.signature,
        metric=steps.spec.evaluation.metric,
        metric_code=resolved.metric_code,
        allow=tuple(choice.allow),
        allow_evaluation=tuple(steps.spec.evaluation.allow),
    )
    found: records.Lint = steps.step("lint", request.model_copy(update=changes))
    return found


def quarters(models: Path, name: str) -> tuple[Array, Array]:
    with np.load(models / f"{name}.npz") as arrays:
        return arrays["image"], arrays["label"]


def test_sane_data_has_no_findings(pipeline: Make) -> None:
    found = lint(pipeline("keras3.keras"))
    assert (found.findings, found.samples, found.compared, found.searched) == ((), 100, 600, 600)


@dataclass(frozen=True)
class Case:
    code: str
    change: Callable[[Array, Array], Array]
    said: str


CASES = [
    Case("scale", lambda image, test: image * 255, "the values of calibration spread 2.. times wider"),
    Case("scale", lambda image, test: image / 255, "one of them is probably not divided by 255"),
    Case("shift", lambda image, test: image * 2 - 1, "the means are .* standard deviations apart"),
    Case("constant", lambda image, test: image * 0 + image[:, :1, :1], "100 of 100 samples hold a single"),
    Case("leakage", lambda image, test: test[: len(image)], r"100 of 100 .* also in the evaluation data: \d+ = \d+"),
    Case("too_few", lambda image, test: image * 0 + image[:4].repeat(40, 0), "4 different samples of 100"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)
def test_data_that_spoils_calibration_stops_the_run(pipeline: Make, models: Path, case: Case) -> None:
    image, label = quarters(models, "calibration")
    np.savez(models / "spoiled.npz", image=case.change(image, quarters(models, "test")[0]), label=label)
    steps = pipeline("keras3.keras", calibration="spoiled.npz")
    with pytest.raises(BadStepInput, match=f"calibration.allow makes a warning of {case.code}.*{case.said}"):
        lint(steps)
    found = lint(steps, allow=(case.code,)).findings
    assert ("warning", case.code) in [(finding.severity, finding.code) for finding in found]
    assert not [finding for finding in found if finding.severity == "error"]


def test_a_few_odd_samples_are_recorded_and_stop_nothing(pipeline: Make, models: Path) -> None:
    image, label = quarters(models, "calibration")
    image[:2], image[2] = image[3], 0.25
    keep = label < 3
    np.savez(models / "odd.npz", image=image[keep], label=label[keep])
    found = lint(pipeline("keras3.keras", calibration="odd.npz"))
    assert {(each.severity, each.code) for each in found.findings} >= {("warning", "labels")}
    (missing,) = (each for each in found.findings if each.code == "labels")
    assert missing.message == "1 of 4 classes of evaluation are not in calibration: 3"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_not_finite_never_reach_the_converter(pipeline: Make, tmp_path: Path, value: float) -> None:
    steps = pipeline("keras3.keras")
    image, _ = quarters(steps.folder, "calibration")
    image[5, 2, 2, 0] = value
    save_samples(tmp_path / "samples.npz", {"serving_default": {"image": image[:100]}})
    file = Workspace(steps.places.workspace, steps.places.cache).keep_file(tmp_path / "samples.npz", "samples.npz")
    with pytest.raises(BadStepInput, match="serving_default/image: expected finite numbers"):
        lint(steps, samples=steps.sample().model_copy(update={"file": file}), allow=("constant",))


def test_several_signatures_without_a_choice_are_bad_input(pipeline: Make) -> None:
    steps = pipeline("two_signatures", calibration="signatures.npz", evaluation="signatures.npz")
    with pytest.raises(BadStepInput, match=r"evaluation\.signature: expected one of decode, encode, got None"):
        lint(steps)
    steps = steps.but(evaluation={"signature": "decode"})
    found = lint(steps, allow=("leakage",), allow_evaluation=UNTRAINED).findings
    assert [each.code for each in found if each.severity == "error"] == []


def test_each_signature_and_input_is_looked_at(pipeline: Make) -> None:
    steps = pipeline("two_inputs.keras", calibration="pair.npz", evaluation="pair.npz")
    with pytest.raises(BadStepInput, match=r"leakage: 100 of 100"):
        lint(steps)
    found = lint(steps, allow=("leakage",), allow_evaluation=UNTRAINED).findings
    assert [each.code for each in found if each.data == "calibration"] == ["leakage"]


def test_labels_of_two_values_for_an_output_of_many_columns_stop_the_run(pipeline: Make, models: Path) -> None:
    image, label = quarters(models, "test")
    for name, value in (("single", np.ones_like(label)), ("shifted", (label + 1) % 4)):
        np.savez(models / f"{name}.npz", image=image, label=value)
    for name, said in (("single", "one_class: all 600 labels are 1"), ("shifted", "chance: float32 has top1")):
        with pytest.raises(BadStepInput, match=rf"evaluation.allow makes a warning of .*{said}"):
            lint(pipeline("keras3.keras", evaluation=f"{name}.npz"))
    allowed = lint(pipeline("keras3.keras", evaluation="shifted.npz"), allow_evaluation=("chance",)).findings
    assert [(each.severity, each.code, each.data) for each in allowed] == [("warning", "chance", "evaluation")]


def test_calibration_data_with_a_little_noise_is_no_evaluation(pipeline: Make, models: Path) -> None:
    image, label = quarters(models, "calibration")
    noise = np.random.default_rng(0).normal(scale=1e-6, size=image.shape)
    np.savez(models / "near.npz", image=(image + noise).astype(image.dtype), label=label)
    with pytest.raises(BadStepInput, match=r"near_leakage: \d+ of 100 calibration samples are nearly the same"):
        lint(pipeline("keras3.keras", evaluation="near.npz"))


def test_a_preprocess_that_looks_at_the_label_or_draws_at_random_stops_the_run(pipeline: Make, models: Path) -> None:
    (models / "tells.py").write_text(
        "import numpy as np\n\n"
        "def label(features, label):\n"
        "    return {name: value + np.float32(label * 1e-3) for name, value in features.items()}, label\n\n"
        "def random(features, label):\n"
        "    return {n: v + np.float32(np.random.rand() * 1e-3) for n, v in features.items()}, label\n"
    )
    for name, code in (("label", "label_dependent"), ("random", "random_preprocess")):
        with pytest.raises(BadStepInput, match=f"{code}: `preprocess` gives other features"):
            lint(pipeline("keras3.keras", preprocess=f"tells:{name}"))


def test_what_does_not_fit_the_metric_is_said_before_anything_is_quantized(pipeline: Make, models: Path) -> None:
    image, label = quarters(models, "test")
    with np.load(models / "masks.npz") as arrays:
        np.savez(models / "white.npz", image=arrays["image"], label=arrays["label"] * 255)
    overflowing = image.copy()
    overflowing[31] = 3e38
    np.savez(models / "overflowing.npz", image=overflowing, label=label)
    np.savez(models / "one_hot.npz", image=image, label=np.eye(4, dtype=np.float32)[label])
    waves, masks = ("denoiser.keras", "waves_train.npz", "waves.npz"), ("segmenter.keras", "masks_train.npz")
    for steps, said in [
        (pipeline("keras3.keras", evaluation="one_hot.npz"), r"one-hot\? save label.argmax\(axis=1\)"),
        (pipeline("keras3.keras", evaluation="overflowing.npz"), "NaN or infinity in its output .* for sample 31"),
        (
            pipeline(*waves).but(evaluation={"metric": "iou"}),
            "masks of whole numbers from 0 to 1, or -1 where nothing counts, for iou",
        ),
        (
            pipeline(*masks, "masks.npz").but(evaluation={"metric": "top1"}),
            r"\(batch, classes\), two .* got \(batch, 8",
        ),
        (pipeline(*masks, "white.npz").but(evaluation={"metric": "iou"}), "from 0 to 1, or -1 .* for iou.*, got 255"),
    ]:
        with pytest.raises(BadStepInput, match=said):
            lint(steps)


def test_integer_labels_with_an_axis_of_one_are_classes(pipeline: Make, models: Path) -> None:
    for name in ("calibration", "test"):
        image, label = quarters(models, name)
        np.savez(models / f"{name}_column.npz", image=image, label=label[:, np.newaxis].astype(np.uint8))
    steps = pipeline("keras3.keras", calibration="calibration_column.npz", evaluation="test_column.npz")
    assert lint(steps).findings == ()
    assert steps.sample().labels == pipeline("keras3.keras").sample().labels
    assert steps.evaluated_score() == pipeline("keras3.keras").evaluated_score()


FORMS = {"csv": ".csv", "npy": "", "parquet": ".parquet", "tfrecord": ".tfrecord", "webdataset": ".tar"}


@pytest.mark.parametrize(("form", "suffix"), FORMS.items())
def test_every_format_goes_through_the_steps(pipeline: Make, models: Path, form: str, suffix: str) -> None:
    data = {}
    for split in ("calibration", "test"):
        folder = models / f"{split}_{form}"
        folder.mkdir()
        image, label = quarters(models, split)
        if form == "npy":
            np.save(folder / "image.npy", image)
            np.save(folder / "label.npy", label)
        else:
            for name, part in (("a", slice(0, 70)), ("b", slice(70, None))):
                write(form, folder / f"part-{name}{suffix}", image[part], label[part])
        data[split] = {"uri": str(folder) if form == "npy" else f"{folder}/part-*{suffix}", "format": form}
    plain = pipeline("keras3.keras")
    steps = pipeline("keras3.keras", data["calibration"], data["test"])
    assert lint(steps).findings == ()
    assert steps.sample().labels == plain.sample().labels
    assert steps.evaluated_score() == plain.evaluated_score()
