"""The runtimes are rows; another one is a module and a row, and its word counts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from litegate.errors import BadInput
from litegate.pipeline.evaluation import evaluate_request
from litegate.records import EvaluateFilesRequest
from litegate.runtimes import REFERENCE, RUNTIMES, load_compiler, load_runtime, runtime_row, unused_modules
from litegate.settings import Settings
from litegate.steps.preloading import modules_of as preloaded
from litegate.variants import BASELINE, TARGETS
from tests.additions import Addition
from tests.single_steps import Steps

CONTRARY = '''
"""LiteRT with everything turned round: what it likes best comes last."""

from litegate.runtimes.litert import LiteRTModel
from litegate.runtimes.runtime import Facts


class Contrary(LiteRTModel):
    def __init__(self, content, signature):
        super().__init__(content, signature)
        self.kernels = "contrary"

    def predict(self, features):
        return {name: -value for name, value in super().predict(features).items()}


def load(content, signature=None):
    return Contrary(content, signature)


def facts(content):
    return Facts("0.1", "contrary")
'''
ON_THIS_PROCESSOR = [row.name for row in RUNTIMES.values() if not row.vulkan]
"""`test_gpu.py` has the others, in processes of their own."""

ROW = 'RuntimeRow("contrary", "litegate.runtimes.contrary", "Contrary")'


def test_each_target_names_a_runtime_that_there_is(places: Settings) -> None:
    assert {target.runtime for target in TARGETS.values()} | {REFERENCE} <= set(RUNTIMES)
    assert {row.environment for row in RUNTIMES.values()} <= set(places.pythons)


def test_a_runtime_that_does_not_exist_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"runtime: expected one of litert, litert_reference, .*, got magic"):
        runtime_row("magic")


def test_reading_the_rows_loads_no_runtime() -> None:
    program = "import sys, litegate.runtimes, litegate.steps\nprint('ai_edge_litert' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_runtime_that_is_not_installed_is_refused_with_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("litegate.runtimes._is_installed", lambda _: False)
    with pytest.raises(BadInput, match=r"target: expected .* is tflite-micro, got none .*install litegate\[targets\]"):
        load_runtime("tflite_micro")
    with pytest.raises(BadInput, match="this one's is tflite-micro and ethos-u-vela"):
        load_compiler("ethos_u")
    assert "litegate.runtimes.tflite_micro" not in set(preloaded("tensorflow"))
    assert "litegate.runtimes.xnnpack" in set(preloaded("tensorflow"))


def test_a_result_depends_on_the_runtime_and_on_the_one_whose_kernels_it_runs() -> None:
    assert "litegate.runtimes.ethos_u" in unused_modules("tflite_micro", "litert")
    assert set(unused_modules("ethos_u")) & {"litegate.runtimes.ethos_u", "litegate.runtimes.tflite_micro"} == set()
    assert {"litegate.runtimes.xnnpack", "litegate.runtimes.vela"} <= set(unused_modules("ethos_u"))
    assert "litegate.runtimes.vela" not in unused_modules("ethos_u", compiled=True)
    assert "litegate.runtimes.vela" in unused_modules("tflite_micro", compiled=True)


@pytest.mark.parametrize("name", ON_THIS_PROCESSOR)
def test_a_runtime_gives_outputs_and_says_what_computed_them(name: str, tflite_files: dict[str, Path]) -> None:
    content, runtime = tflite_files["int8"].read_bytes(), load_runtime(name)
    model, facts = runtime.load(content), runtime.facts(content)
    assert (facts.kernels, facts.refused) == (model.kernels, None)
    assert facts.version
    images = {"image": np.zeros((3, 8, 8, 1), np.float32)}
    assert {key: value.shape for key, value in model.predict(images).items()} == {"scores": (3, 4)}
    assert model.invoke(model.quantize({"image": images["image"][:1]})).keys() == model.outputs.keys()


@pytest.mark.parametrize("name", ON_THIS_PROCESSOR)
def test_what_a_runtime_refuses_it_refuses_in_its_own_words(name: str) -> None:
    facts = load_runtime(name).facts(b"no model")
    assert facts.refused


@pytest.mark.e2e
def test_a_runtime_more_is_a_module_and_a_row(models: Path, places: Settings, tmp_path: Path) -> None:
    steps = Steps(
        models,
        places,
        model={"name": "test", "uri": str(models / "keras3.keras")},
        calibration={"uri": str(models / "calibration.npz"), "format": "npz", "samples": 100},
        evaluation={"uri": str(models / "test.npz"), "format": "npz"},
    )
    usual = steps.evaluate(steps.convert().artifact)
    with_contrary = Addition(tmp_path, "runtimes/contrary.py", CONTRARY, "runtimes/__init__.py", ROW)
    alone = evaluate_request(steps.results, BASELINE)
    request = EvaluateFilesRequest(files=(alone.model_copy(update={"runtime": "contrary"}),))
    (contrary,) = with_contrary.run("evaluate", request, places).files
    assert (usual.kernels, contrary.kernels) == ("xnnpack", "contrary")
    assert steps.score(contrary) < 0.25 < steps.score(usual)
