"""The steps of an evaluation in shards, on real models: what is merged has the key and the bytes of one pass."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from litegate.execution.step_run import StepRun
from litegate.pipeline.evaluation import evaluate_files_request
from litegate.pipeline.shards import merging, shard_request
from litegate.records import EvaluateFilesRequest, FileEvaluation, FileRef, Record
from litegate.steps import STEPS
from tests.components.steps.test_evaluate import METRICS
from tests.components.steps.test_evaluate_on_device import OnDevice
from tests.components.steps.test_evaluate_outputs import DETECTION, TEXTS, boxes
from tests.single_steps import Steps

pytestmark = pytest.mark.e2e

Make = Callable[..., Steps]
SHARDS = 3
BRIGHTER = """
def brighter(features, label):
    return {name: value * 1.5 for name, value in features.items()}, label
"""


def check_the_same(steps: Steps, *variants: str) -> list[FileEvaluation]:
    """Evaluate the baseline and variants in shards, and then at once; returns what both give."""
    steps.convert()
    for variant in variants:
        steps.quantize(variant)
    request = evaluate_files_request(steps.results)
    run = StepRun(STEPS["evaluate"], request, steps.places)
    _forget(run)  # tests that share a workspace may have evaluated the same
    merged = _in_shards(steps, request)
    assert run.find() == merged, "it is found by who evaluates at once"
    _forget(run)
    at_once = run.run()
    assert [_said(each) for each in merged.files] == [_said(each) for each in at_once.files]
    found: list[FileEvaluation] = list(at_once.files)
    return found


def _forget(run: StepRun) -> None:
    keys = run.keys()
    for key in keys:
        run.workspace.forget_result("evaluate", key)


def _in_shards(steps: Steps, request: EvaluateFilesRequest) -> Any:
    def find(step: str, asked: Record) -> tuple[Any | None, ...]:
        return StepRun(STEPS[step], asked, steps.places).find_each()

    for number in range(1, SHARDS + 1):
        StepRun(STEPS["evaluate_shard"], shard_request(request.files, number, SHARDS), steps.places).run()
    found = merging(request, {}, SHARDS, find)
    assert all(len(file.shards) == SHARDS for file in found.files)
    return StepRun(STEPS["evaluate"], EvaluateFilesRequest(files=found.files), steps.places).run()


def _said(found: FileEvaluation) -> dict[str, Any]:
    """All but how long it took, which is the time of all shards together."""
    assert found.seconds > 0
    return found.to_json() | {"seconds": 0.0}


def test_classes_with_groups_slices_copies_and_a_preprocess(pipeline: Make, models: Path) -> None:
    with np.load(models / "test.npz") as arrays:
        rows = np.arange(len(arrays["label"])) // 2 * 2  # each image twice
        image, label = arrays["image"][rows], arrays["label"][rows]
    video = np.array([f"v{place // 5}" for place in range(len(label))])
    np.savez(models / "videos.npz", image=image, label=label, video=video, site=rows % 3)
    (models / "brighter.py").write_text(BRIGHTER)
    steps = pipeline("keras3.keras", evaluation="videos.npz", preprocess="brighter:brighter").but(
        evaluation={"group": "video", "slices": ["site"], "max_samples_by_variant": {"int8": 333}},
        gate={"max_slice_drop": 0.5},
    )
    baseline, dynamic_range, int8 = check_the_same(steps, "dynamic_range", "int8")
    assert (baseline.samples, dynamic_range.samples, int8.samples) == (600, 600, 333)
    assert baseline.clusters is not None
    assert baseline.clusters < 120
    assert set(baseline.slice_samples) == {"site"}
    assert sum(baseline.predictions.values()) == 600


def test_metrics_of_a_whole_set_the_users_too(pipeline: Make, models: Path) -> None:
    (models / "my_metrics.py").write_text(METRICS)
    steps = pipeline("denoiser.keras", "waves_train.npz", "waves.npz")
    for metric in ("rmse", "my_metrics:Worst"):
        (found,) = check_the_same(steps.but(evaluation={"metric": metric}))
        assert found.samples == 600


def test_detections_and_texts(pipeline: Make, models: Path) -> None:
    with np.load(models / "test.npz") as arrays:
        np.savez(models / "boxes.npz", image=arrays["image"], label=boxes(arrays["label"]))
    (models / "texts.py").write_text(TEXTS)
    detects = pipeline("many_outputs", evaluation="boxes.npz")
    check_the_same(detects.but(evaluation={"metric": "map50", "detection": DETECTION}))
    reads = pipeline("many_outputs").but(evaluation={"metric": "wer", "output": "tokens", "decoder": "texts:decode"})
    check_the_same(reads)


def test_a_microcontroller_with_the_host_and_a_control_variate_beside_it(pipeline: Make) -> None:
    steps = pipeline("keras3.keras", target="microcontroller").but(evaluation={"target_samples": 70})
    _, int8 = check_the_same(steps, "int8")
    assert int8.samples == 70
    assert int8.host is not None
    assert int8.control is not None
    assert isinstance(int8.control.outcomes, FileRef)


def test_what_a_device_gave_with_the_host_beside_it(pipeline: Make, models: Path, tmp_path: Path) -> None:
    made = OnDevice(pipeline, models, tmp_path / "kept")
    made.record(made.steps.quantize("int8"))
    baseline, int8 = check_the_same(made.steps)
    assert baseline.kernels == "xnnpack"
    assert int8.on_device is not None
    assert int8.host is not None
    assert int8.host.samples == int8.samples == 600
