"""What a device is given is what a run judges: the same files, the same samples, made once for both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from litegate.pipeline.evaluation import evaluate_request
from litegate.pipeline.local import LocalRun
from litegate.pipeline.on_device import DeviceRun, device_samples_request
from litegate.records import ResolveRequest
from litegate.settings import Settings
from litegate.spec import parse_spec
from litegate.storage.workspace import Workspace
from litegate.variants import BASELINE

pytestmark = pytest.mark.e2e

Told = list[tuple[str, str, str]]


@pytest.fixture
def request_with(models: Path, tmp_path: Path) -> Callable[..., ResolveRequest]:
    def made(evaluation: dict[str, Any] | None = None, **keys: Any) -> ResolveRequest:
        given = {
            "model": {"name": "test", "uri": str(models / "keras3.keras")},
            "calibration": {"uri": str(models / "calibration.npz"), "format": "npz", "samples": 100},
            "evaluation": {
                "uri": str(models / "test.npz"),
                "format": "npz",
                "device": {"name": "pi5", "evidence": str(tmp_path / "kept")},
            }
            | (evaluation or {}),
            "variants": ["int8", "dynamic_range"],
            "gate": {"max_drop": 0.05},
        }
        return ResolveRequest(spec=parse_spec(given | keys), folder=str(models))

    return made


def ids(run: DeviceRun) -> set[str]:
    run.run()
    workspace = Workspace(run.places.workspace, run.places.cache)
    with np.load(workspace.fetch(run.samples.file)) as arrays:
        assert len(arrays["id"]) == run.samples.samples
        return {name.decode() for name in arrays["id"].tolist()}


def test_a_run_finds_what_was_made_for_the_device(request_with: Callable[..., Any], places: Settings) -> None:
    told: Told = []
    run = DeviceRun(request_with(), places, ["int8", BASELINE], lambda *step: told.append(step))
    run.run()
    ended = [(step, variant) for step, variant, state in told if state in ("success", "found")]
    assert len(ended) == run.steps
    assert ("quantize", "int8") in ended
    assert ("quantize", "dynamic_range") not in ended
    told.clear()
    LocalRun(request_with(), places, lambda *step: told.append(step)).run()
    made = {("convert", ""), ("sample", ""), ("calibrate", ""), ("quantize", "int8")}
    assert made <= {(step, variant) for step, variant, state in told if state == "found"}


@pytest.mark.parametrize(
    "evaluation",
    [
        {"target_samples": 70},
        {"target_samples": 70, "max_samples": 100},
        {"max_samples": 90, "max_samples_by_variant": {"int8": 40}},
        {"target_samples": 120, "first_samples": 50},
        {"sequential": True, "max_samples": 200},
    ],
)
def test_the_samples_are_those_that_some_file_of_the_spec_sees_on_the_target(
    request_with: Callable[..., Any], places: Settings, evaluation: dict[str, Any]
) -> None:
    run = DeviceRun(request_with(evaluation), places, ["int8", "dynamic_range"])
    given = ids(run)
    seen = set().union(*(seen_by(run, name, places) for name in (BASELINE, "int8", "dynamic_range")))
    assert given == seen
    assert len(given) < 600


def seen_by(run: DeviceRun, variant: str, places: Settings) -> set[str]:
    """By the plan of the evaluation itself."""
    from litegate.datasets import open_dataset
    from litegate.evaluation.plans import plan_of
    from litegate.runtimes.litert import LiteRTModel
    from litegate.work.step_work import Work

    workspace = Workspace(places.workspace, places.cache)
    request = evaluate_request(run.results, variant)
    workspace.fetch(request.data.manifest)
    model = LiteRTModel(workspace.fetch(run.results.converted().artifact.file).read_bytes())
    work = Work(places.scratch, places.cache)
    dataset = open_dataset(request.data, work, "evaluation.uri", model.inputs)
    return {dataset.ids[position] for position in np.asarray(plan_of(request, dataset, 4).order).tolist()}


def test_what_is_given_out_has_been_preprocessed(
    request_with: Callable[..., Any], places: Settings, models: Path
) -> None:
    (models / "halves.py").write_text(
        "def half(features, label):\n    return {'image': features['image'] / 2}, label\n"
    )
    run = DeviceRun(request_with(preprocess="halves:half"), places, [BASELINE])
    run.run()
    with (
        np.load(Workspace(places.workspace, places.cache).fetch(run.samples.file)) as arrays,
        np.load(models / "test.npz") as test,
    ):
        assert arrays["input/image"].tolist() == (test["image"] / 2).tolist()


def test_equal_choices_are_asked_for_once(request_with: Callable[..., Any], places: Settings) -> None:
    run = DeviceRun(request_with(), places, [BASELINE])
    assert len(device_samples_request(run.run()).choices) == 1
