"""A model for a GPU: converted for a batch of one, judged in the GPU's arithmetic against float32's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from litegate.errors import StepFailed
from litegate.execution.step_run import StepRun
from litegate.failures import FailureKind
from litegate.records import EvaluateFilesRequest, FileFailure
from litegate.runtimes import vulkan
from litegate.settings import Settings
from litegate.steps import STEPS
from tests.components.runtimes.on_gpu import needs_gpu
from tests.single_steps import Steps

pytestmark = [pytest.mark.e2e, needs_gpu]


def steps(models: Path, places: Settings, model: str, **keys: Any) -> Steps:
    data = {"uri": str(models / "calibration.npz"), "format": "npz"}
    return Steps(
        models,
        places,
        model={"name": "test", "uri": str(models / model)},
        calibration=data | {"samples": 100},
        evaluation=data,
        target="gpu",
        **keys,
    )


@pytest.mark.parametrize("model", ["keras3.keras", "keras3_saved_model"])
def test_a_model_of_any_batch_is_converted_for_one_and_runs_as_a_whole(
    models: Path, places: Settings, model: str
) -> None:
    gpu = steps(models, places, model)
    (signature,) = gpu.convert().artifact.signatures.values()
    assert [spec.shape[0] for spec in (*signature.inputs.values(), *signature.outputs.values())] == [1, 1]
    (half,) = (gpu.quantize(name) for name in gpu.spec.quantized_variants)
    seen = gpu.smoke(half)
    device = str(vulkan.devices()[0])
    assert seen.runtime.startswith("gpu ")
    assert seen.runtime.endswith(f"(webgpu float16 on {device})")
    assert 1e-5 < (seen.kernel_difference or 0) < 0.05
    evaluated = {each.variant: gpu.evaluate(each) for each in (gpu.results.converted().artifact, half)}
    kernels = {name: each.kernels for name, each in evaluated.items()}
    assert kernels == {
        "float32": f"webgpu float32 on {device}",
        "float16": f"webgpu float16 on {device}",
    }
    assert all(gpu.score(each) > 0.9 for each in evaluated.values())


def test_what_does_not_fit_into_float16_is_caught_before_and_in_the_evaluation(models: Path, places: Settings) -> None:
    gpu = steps(models, places, "beyond_float16.keras")
    gpu.convert()
    half = gpu.quantize("float16")
    assert gpu.score(gpu.evaluate(gpu.results.converted().artifact)) > 0.9
    with pytest.raises(StepFailed, match=r"NaN or infinite .*, computed in float16, which ends at 65,504") as smoke:
        gpu.smoke(half)
    assert smoke.value.kind is FailureKind.NOT_FINITE
    request = gpu.request("evaluate", "float16")
    files = tuple(each for each in request.files if each.artifact.variant == "float16")
    (failure,) = StepRun(STEPS["evaluate"], EvaluateFilesRequest(files=files), places).run().files
    assert isinstance(failure, FileFailure)
    assert failure.kind is FailureKind.NOT_FINITE
