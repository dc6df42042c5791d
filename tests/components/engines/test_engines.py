"""The engines are rows: which variant each makes and where it runs; another one is a module and a row."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from litegate.engines import ENGINES, engine_row
from litegate.execution.step_run import StepRun
from litegate.pipeline.requests import request_of
from litegate.settings import Settings
from litegate.steps import STEPS
from litegate.storage.workspace import Workspace
from litegate.variants import BASELINE, VARIANTS
from tests.additions import Addition
from tests.single_steps import Steps

TOY = '''
"""Writes the float32 file again, with its own name behind it, and cannot load TensorFlow."""

import importlib.util

from litegate.engines import engine
from litegate.engines.engine import Refused
from litegate.failures import FailureKind


class Engine(engine.Engine):
    def make(self, model, recipe, calibration, say):
        if importlib.util.find_spec("tensorflow"):
            raise Refused(FailureKind.UNSUPPORTED, "this is not the environment that the row names")
        assert (calibration is not None) == recipe.calibrated
        assert calibration is None or calibration.count == 100
        return model.float32 + recipe.name.encode().ljust(64)
'''

ROW = 'EngineRow("toy", "litegate.engines.toy", "service", frozenset({"dynamic_range", "int8"}))'


@pytest.fixture(scope="module")
def steps(models: Path, places: Settings) -> Steps:
    """A model whose variants can be made."""
    data = {"format": "npz"}
    return Steps(
        models,
        places,
        model={"name": "test", "uri": str(models / "keras3.keras")},
        calibration=data | {"uri": str(models / "calibration.npz"), "samples": 100},
        evaluation=data | {"uri": str(models / "test.npz")},
    )


def test_every_variant_is_made_by_an_engine() -> None:
    assert set().union(*(row.makes for row in ENGINES.values())) == set(VARIANTS) - {BASELINE}


def test_engines_make_variants_that_there_are_in_environments_that_there_are(places: Settings) -> None:
    assert all(row.makes <= set(VARIANTS) - {BASELINE} for row in ENGINES.values())
    assert {row.environment for row in ENGINES.values()} <= set(places.pythons)


def test_an_engine_that_does_not_exist_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="engine: expected one of tf_converter, litert_quantizer, got magic"):
        engine_row("magic", "int8")


def test_an_engine_is_not_asked_for_what_it_does_not_make() -> None:
    with pytest.raises(ValueError, match=r"engine tf_converter: expected one of dynamic_range, .*, got float32"):
        engine_row("tf_converter", BASELINE)


def test_reading_the_rows_loads_no_engine() -> None:
    program = "import sys, litegate.engines, litegate.steps\nprint([n for n in sys.modules if n in HEAVY])"
    heavy = "HEAVY = {'ai_edge_litert', 'tensorflow', 'PIL', 'litegate.engines.tf_converter', 'litegate.datasets'}\n"
    done = subprocess.run([sys.executable, "-c", heavy + program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.e2e
@pytest.mark.parametrize("variant", ["dynamic_range", "int8"])
def test_an_engine_more_is_a_module_and_a_row(steps: Steps, tmp_path: Path, variant: str) -> None:
    with_toy = Addition(tmp_path, "engines/toy.py", TOY, "engines/__init__.py", ROW)
    steps._prepare()
    request = request_of("quantize", steps.results, variant).model_copy(update={"engine": "toy"})
    made = with_toy.run("quantize", request, steps.places)
    workspace = Workspace(steps.places.workspace, steps.places.cache)
    float32 = workspace.fetch(steps.convert().artifact.file).read_bytes()
    assert workspace.fetch(made.file).read_bytes() == float32 + variant.encode().ljust(64)
    assert made.variant == variant
    assert made.signatures == steps.convert().artifact.signatures


@pytest.mark.e2e
def test_the_steps_of_litegate_itself_do_not_know_the_addition(steps: Steps) -> None:
    steps._prepare()
    request = request_of("quantize", steps.results, "int8").model_copy(update={"engine": "toy"})
    with pytest.raises(ValueError, match="got toy"):
        StepRun(STEPS["quantize"], request, steps.places).run()
