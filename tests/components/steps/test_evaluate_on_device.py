"""The evaluate step where a real device ran the files: its record counts, and what it lacks fails closed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from litegate import records
from litegate.errors import StepFailed
from litegate.failures import FailureKind
from litegate.pipeline.evaluation import evaluate_files_request, runtime_of, usual_runtime_of
from litegate.pipeline.on_device import device_samples_request
from litegate.records import Artifact, ResolveRequest
from litegate.storage.workspace import Workspace
from litegate.variants import CHAMPION
from tests.components.runtimes.recording import recorded, written
from tests.single_steps import Steps

pytestmark = pytest.mark.e2e

Make = Callable[..., Steps]
Array = np.ndarray[Any, np.dtype[Any]]


class OnDevice:
    """A pipeline with a device, and what that device gives."""

    def __init__(self, pipeline: Make, models: Path, kept: Path, **evaluation: Any) -> None:
        self.kept, device = kept, {"name": "pi5", "evidence": str(kept)}
        data = {"uri": str(models / "test.npz"), "format": "npz", "device": device} | evaluation
        self.steps = pipeline("keras3.keras", evaluation=data)
        self._workspace = Workspace(self.steps.places.workspace, self.steps.places.cache)

    def record(self, artifact: Artifact, turned: bool = False) -> Path:
        """Store what the device gives of a file; turned round, as a broken device might give it."""
        self.steps.convert()
        samples = self.steps.step("device_samples", device_samples_request(self.steps.results))
        with np.load(self._workspace.fetch(samples.file)) as arrays:
            arrays_of = recorded(
                self._workspace.fetch(artifact.file).read_bytes(), {"image": arrays["input/image"]}, arrays["id"]
            )
        if turned:
            arrays_of |= {name: value[:, ::-1] for name, value in arrays_of.items() if name.startswith("output/")}
        path = self.kept / artifact.file.digest / "pi5.npz"
        path.parent.mkdir(parents=True, exist_ok=True)
        written(path, arrays_of)
        self.steps.results.keep("resolve", "", self.resolved())
        return path

    def resolved(self) -> records.Resolved:
        """Anew: what lies in the folder has changed."""
        request = ResolveRequest(spec=self.steps.spec, folder=str(self.steps.folder))
        found: records.Resolved = self.steps.step("resolve", request)
        return found

    def evaluations(self, *variants: str) -> Any:
        for variant in variants:
            self.steps.results.keep("quantize", variant, self.steps.quantize(variant))
        return self.steps.step("evaluate", evaluate_files_request(self.steps.results))


@pytest.fixture
def on_device(pipeline: Make, models: Path, tmp_path: Path) -> Callable[..., OnDevice]:
    return lambda **evaluation: OnDevice(pipeline, models, tmp_path / "kept", **evaluation)


def test_the_devices_outputs_are_what_is_measured(on_device: Callable[..., OnDevice]) -> None:
    made = on_device()
    int8 = made.steps.quantize("int8")
    made.record(int8)
    honest = made.steps.evaluate(int8)
    made.record(int8, turned=True)
    broken = made.steps.evaluate(int8)
    assert made.steps.score(honest) > 0.9
    assert made.steps.score(broken) < 0.3
    assert honest.kernels == broken.kernels == "device:pi5 (LiteRT of the tests)"
    assert honest.host is not None
    assert broken.host is not None
    assert (broken.host.title, broken.host.beside) == ("LiteRT", "device:pi5")
    assert broken.host.outcomes == honest.host.outcomes, "the host runs the file whatever the device says"
    timed = honest.on_device
    assert timed is not None
    assert (timed.name, timed.runtime, timed.samples) == ("device:pi5", "LiteRT of the tests", 600)
    assert (timed.latency_ms, timed.latency_p95_ms) == pytest.approx((1.5, 1.95), abs=0.01)


def test_a_file_without_evidence_fails_and_float32_is_run_by_the_host(on_device: Callable[..., OnDevice]) -> None:
    made = on_device()
    made.record(made.steps.quantize("int8"))
    found = made.evaluations("int8", "dynamic_range")
    assert [each.variant for each in found.done] == ["float32", "int8"]
    (failure,) = found.failures
    assert (failure.variant, failure.kind) == ("dynamic_range", FailureKind.NO_EVIDENCE)
    assert failure.message.startswith("no evidence of it from device:pi5; `litegate evidence request")
    float32, int8 = found.done
    assert (float32.kernels, float32.on_device) == ("xnnpack", None)
    assert float32.host is not None
    assert (float32.host.title, float32.host.beside) == ("LiteRT", "LiteRT")
    assert int8.on_device is not None


def test_float32_is_the_devices_own_where_it_ran_it(on_device: Callable[..., OnDevice]) -> None:
    made = on_device()
    baseline = made.steps.convert().artifact
    made.record(baseline, turned=True)
    found = made.steps.evaluate(baseline)
    assert found.kernels == "device:pi5 (LiteRT of the tests)"
    assert made.steps.score(found) < 0.3


@pytest.mark.parametrize(
    "evaluation", [{"sequential": True}, {"first_samples": 50}, {"target_samples": 100}, {"max_samples": 80}]
)
def test_it_goes_on_as_for_any_target(on_device: Callable[..., OnDevice], evaluation: dict[str, Any]) -> None:
    made = on_device(**evaluation)
    int8 = made.steps.quantize("int8")
    made.record(int8)
    evaluated = made.steps.evaluate(int8)
    assert evaluated.kernels.startswith("device:pi5")
    assert made.steps.score(evaluated) > 0.9
    early = "sequential" in evaluation or "first_samples" in evaluation
    assert [each.role for each in evaluated.references] == ["baseline"] * early
    assert evaluated.available == evaluation.get("target_samples", evaluation.get("max_samples", 600))
    assert evaluated.host is not None
    assert evaluated.host.samples == evaluation.get("max_samples", 600)


def test_a_reference_that_the_device_ran_is_its_record_as_well(on_device: Callable[..., OnDevice]) -> None:
    made = on_device(first_samples=50)
    int8, baseline = made.steps.quantize("int8"), made.steps.convert().artifact
    made.record(int8)
    alone = made.steps.evaluate(int8).references[0]
    made.record(baseline, turned=True)
    beside = made.steps.evaluate(int8).references[0]
    assert made.steps.outcomes(alone).score.mean() > 0.9
    assert made.steps.outcomes(beside).score.mean() < 0.3


def test_samples_that_the_device_was_never_fed_fail_the_file(on_device: Callable[..., OnDevice], models: Path) -> None:
    made = on_device(max_samples=100)
    int8 = made.steps.quantize("int8")
    made.record(int8)
    more = on_device(max_samples=101)
    more.steps.results.keep("resolve", "", more.resolved())
    with pytest.raises(StepFailed, match=r"device:pi5 was never fed 1 of \d+ samples: data, `preprocess` or") as caught:
        more.steps.evaluate(int8)
    assert caught.value.kind is FailureKind.NO_EVIDENCE


def test_evidence_that_was_moved_to_another_file_is_told(on_device: Callable[..., OnDevice]) -> None:
    made = on_device()
    int8, other = made.steps.quantize("int8"), made.steps.quantize("dynamic_range")
    path = made.record(int8)
    target = made.kept / other.file.digest / "pi5.npz"
    target.parent.mkdir()
    path.rename(target)
    made.steps.results.keep("resolve", "", made.resolved())
    with pytest.raises(StepFailed, match="evidence of device:pi5: artifact: expected the digest of the file"):
        made.steps.evaluate(other)


def test_what_lies_beside_evidence_is_not_pinned(on_device: Callable[..., OnDevice]) -> None:
    made = on_device()
    int8 = made.steps.quantize("int8")
    path = made.record(int8)
    for other in ("notes/pi5.npz", f"{int8.file.digest}/pi4.npz", "readme.txt"):
        (made.kept / other).parent.mkdir(exist_ok=True)
        (made.kept / other).write_bytes(path.read_bytes())
    assert list(made.resolved().evidence) == [int8.file.digest]


def test_without_a_folder_there_is_no_evidence_yet(on_device: Callable[..., OnDevice]) -> None:
    assert on_device().resolved().evidence == {}


def test_smoke_run_and_benchmark_stay_on_this_host(on_device: Callable[..., OnDevice]) -> None:
    made = on_device()
    int8 = made.steps.quantize("int8")
    made.record(int8, turned=True)
    spec = made.steps.spec
    assert (runtime_of(spec), usual_runtime_of(spec)) == ("device:pi5", "litert")
    made.steps.results.keep("quantize", "int8", int8)
    assert made.steps.smoke(int8).runtime.startswith("litert ")
    assert made.steps.request("benchmark").runtime == "litert"


def test_other_evidence_evaluates_anew(on_device: Callable[..., OnDevice]) -> None:
    made = on_device()
    int8 = made.steps.quantize("int8")
    made.record(int8)
    first = made.steps.evaluate(int8)
    assert made.steps.evaluate(int8) == first, "found again, its seconds and all"
    made.record(int8, turned=True)
    assert made.steps.evaluate(int8) != first


def test_a_champion_needs_a_record_of_its_own(pipeline: Make, models: Path, tmp_path: Path) -> None:
    made = OnDevice(pipeline, models, tmp_path / "kept")
    made.steps = made.steps.but(gate={"max_drop_from_champion": 0.01})
    old = made.steps.quantize("dynamic_range").model_copy(update={"variant": CHAMPION})
    made.steps.results.keep("fetch_champion", "", records.ChampionFile(version=1, artifact=old))
    made.record(made.steps.quantize("int8"))
    failures = {failure.variant: failure.kind for failure in made.evaluations("int8").failures}
    assert failures == dict.fromkeys((CHAMPION, "dynamic_range"), FailureKind.NO_EVIDENCE)
    made.record(old)
    assert made.evaluations("int8").failures == ()
