"""The pipeline in this process's children: real steps on a small model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from litegate.errors import BadInput, StepFailed
from litegate.execution.step import parts
from litegate.execution.step_run import StepRun
from litegate.pipeline.local import LocalRun, Watcher
from litegate.records import ResolveRequest
from litegate.settings import Settings
from litegate.spec import parse_spec

pytestmark = pytest.mark.e2e

Make = Callable[..., LocalRun]
Told = list[tuple[str, str, str]]


@pytest.fixture
def told() -> Told:
    return []


@pytest.fixture
def make(models: Path, places: Settings, told: Told) -> Make:
    def local(watch: Watcher | None = None, **keys: Any) -> LocalRun:
        given = {
            "model": {"name": "test", "uri": str(models / "keras3.keras")},
            "calibration": {"uri": str(models / "calibration.npz"), "format": "npz", "samples": 100},
            "evaluation": {"uri": str(models / "test.npz"), "format": "npz"},
            "variants": ["int8", "dynamic_range"],
            "gate": {"max_drop": 0.05},
        }
        request = ResolveRequest(spec=parse_spec(given | keys), folder=str(models))
        return LocalRun(request, places, watch or (lambda *step: told.append(step)))

    return local


def test_every_variant_is_judged_and_the_best_selected(make: Make, told: Told) -> None:
    run = make()
    results = run.run()
    states = {verdict.variant: verdict.state for verdict in results.verdicts()}
    assert states == {"float32": "baseline", "dynamic_range": "passed", "int8": "passed"}
    assert results.selection().variant in ("dynamic_range", "int8")
    ended = [(step, variant) for step, variant, state in told if state in ("success", "found")]
    assert len(ended) == len(set(ended)) == run.steps


def test_what_was_found_once_is_not_computed_again(make: Make, told: Told) -> None:
    make().run()
    told.clear()
    again = make().run()
    assert {step for step, _, state in told if state == "success"} == {"resolve"}, "which is never stored"
    begun, ended = ([job for *job, state in told if (state == "running") is begins] for begins in (True, False))
    assert sorted(begun) == sorted(ended), "whoever shows what runs is told of both"
    assert again.selection().variant is not None


def test_a_variant_that_fails_takes_no_other_along(
    make: Make, models: Path, monkeypatch: pytest.MonkeyPatch, told: Told
) -> None:
    own = {"uri": str(models / "calibration.npz"), "format": "npz", "samples": 98}  # which no other test has quantized

    def limited(step: str, variant: str, state: str) -> None:
        told.append((step, variant, state))
        if (step, variant) in (("calibrate", ""), ("quantize", "uint8")):
            limit = "300M" if state == "running" else "8G"  # at first too little for TensorFlow
            monkeypatch.setenv("LITEGATE_MEMORY_LIMIT", limit)

    alone = make(limited, calibration=own, variants=["int8"]).run()
    assert ("calibrate", "", "failed") in told
    assert [verdict.state for verdict in alone.verdicts()] == ["baseline", "passed"], "it was calibrated by itself"
    results = make(limited, calibration=own, variants=["int8", "uint8"]).run()
    verdicts = {verdict.variant: verdict for verdict in results.verdicts()}
    assert (verdicts["int8"].state, verdicts["uint8"].state) == ("passed", "failed")
    assert [failure.variant for failure in results.failures()] == ["uint8"]
    assert ("inspect", "uint8", "running") not in told


def test_bad_input_ends_the_run(make: Make, models: Path) -> None:
    with pytest.raises(BadInput, match=r"evaluation\.uri"):
        make(evaluation={"uri": str(models / "nothing.npz"), "format": "npz"}).run()


def test_a_check_that_fails_stops_what_runs_beside_it(make: Make, models: Path, tmp_path: Path, told: Told) -> None:
    with np.load(models / "calibration.npz") as given:
        wide = {name: values * 1000 if values.dtype.kind == "f" else values for name, values in given.items()}
    np.savez(tmp_path / "wide.npz", **wide)
    with pytest.raises(BadInput, match="scale"):
        make(calibration={"uri": str(tmp_path / "wide.npz"), "format": "npz", "samples": 96}).run()
    assert [step for step, _, state in told if state == "failed"] == ["lint"]
    begun, ended = ([job for *job, state in told if (state == "running") is begins] for begins in (True, False))
    assert sorted(begun) == sorted(ended)
    assert "evaluate" not in {step for step, _, _ in told}


def test_what_was_stopped_ends_what_runs_and_begins_nothing_more(make: Make, models: Path, told: Told) -> None:
    def stop(*step: str) -> None:
        told.append(step)  # type: ignore[arg-type]
        if step == ("quantize", "int8", "running"):
            run.stop()

    other = {"uri": str(models / "calibration.npz"), "format": "npz", "samples": 99}  # nothing is found
    run = make(stop, calibration=other)
    with pytest.raises(StepFailed, match="interrupted"):
        run.run()
    assert not [step for step, _, _ in told if step in ("evaluate", "gate")]


def test_equal_bytes_are_measured_once_and_each_variant_gets_its_row(
    make: Make, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed: Counter[tuple[str, str]] = Counter()
    compute = StepRun._compute

    def counting(run: StepRun, request: Any) -> Any:
        for part in parts(run.step, request):
            files = part.files if run.step.name == "benchmark" else [getattr(part, "artifact", None)]
            computed.update((run.step.name, artifact.file.digest) for artifact in files if artifact)
        return compute(run, request)

    monkeypatch.setattr(StepRun, "_compute", counting)
    own = {"uri": str(models / "calibration.npz"), "format": "npz", "samples": 97}  # which no other test has quantized
    names = ["int16x8", "int16x8_float_fallback"]
    results = make(calibration=own, variants=names).run()
    first, second = results.candidates()
    digest = first.artifact.file.digest
    assert digest == second.artifact.file.digest
    assert [(item.artifact.variant, item.artifact.file.name) for item in (first, second)] == [
        (name, f"{name}.tflite") for name in names
    ]
    for step in ("smoke", "evaluate", "benchmark"):
        assert computed[step, digest] == 1, step
    for item in (first, second):
        assert item.smoke is not None
        assert item.benchmark is not None
        about = (item.evaluated.variant, item.smoke.variant, item.benchmark.variant)
        assert about == (item.artifact.variant,) * 3
    assert first.evaluated.outcomes == second.evaluated.outcomes
    rows = {verdict.variant: (verdict.state, verdict.value, verdict.digest) for verdict in results.verdicts()}
    assert rows[names[0]] == rows[names[1]]
    assert rows[names[0]][2] == digest


def test_a_file_that_is_not_needed_is_not_made_and_the_others_pay_for_it(make: Make, told: Told) -> None:
    run = make(recover={"base": "int8"})
    results = run.run()
    assert [verdict.variant for verdict in results.verdicts()] == ["float32", "int8", "dynamic_range"]
    (found,) = results.assessments()
    assert (found.needed, found.why) == (False, "int8 passed")
    assert {step for step, variant, state in told if variant == "recovered" and state == "skipped"} == {
        "quantize",
        "inspect",
        "smoke",
        "evaluate",
    }
    ended = [(step, variant) for step, variant, state in told if state != "running"]
    assert len(ended) == len(set(ended)) == run.steps
    levels = {verdict.confidence for verdict in results.verdicts()[1:]}
    assert max(levels) == pytest.approx(1 - 0.05 / 3), "as many claims as there may be files"
