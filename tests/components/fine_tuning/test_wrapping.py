"""Fake quantization in models of many kinds, and what training with it comes to; TensorFlow runs once for all of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sklearn import datasets

from tests.models.once import Maker

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[3]
PROGRAM = ROOT / "tests" / "models" / "wrapped_kinds.py"
SOURCES = (
    PROGRAM,
    PROGRAM.with_name("make_collapsing.py"),
    *sorted((ROOT / "components" / "litegate" / "fine_tuning").glob("*.py")),
)


@pytest.fixture(scope="session")
def found(maker: Maker, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    digits = Path(datasets.__file__).parent / "data" / "digits.csv.gz"
    folder = maker.make(tmp_path_factory.mktemp("wrapped"), str(PROGRAM), "{folder}", str(digits), sources=SOURCES)
    result: dict[str, Any] = json.loads((folder / "found.json").read_text())
    return result


@pytest.mark.parametrize(
    ("model", "layers"),
    [
        ("sequential", ["first", "depthwise", "separable", "transposed", "digit"]),
        ("functional", ["inside", "shared", "score", "digit"]),
        ("recurrent", ["last"]),
        ("fixed batch", ["last"]),
    ],
)
def test_every_kernel_is_rounded_and_trains_the_variables_of_the_plain_model(
    found: dict[str, Any], model: str, layers: list[str]
) -> None:
    assert found[model]["rounded"] == layers
    assert found[model]["shares"]


def test_what_is_left_in_float_is_said(found: dict[str, Any]) -> None:
    left = {model: found[model]["left"] for model in ("sequential", "functional", "recurrent", "fixed batch")}
    assert left == {
        "sequential": [],
        "functional": ["absolute (Absolute)"],
        "recurrent": ["rows (LSTM)"],
        "fixed batch": [],
    }


def test_nothing_is_rounded_between_what_the_converter_computes_as_one(found: dict[str, Any]) -> None:
    assert found["sequential"]["not after"] == ["digit", "first", "folded"], (
        "and not what a loss takes the logarithm of"
    )
    assert found["functional"]["not after"] == ["batch_normalization", "digit", "inside"], "across models in the model"


def test_an_activation_of_its_own_takes_rounded_values(found: dict[str, Any]) -> None:
    assert found["sequential"]["before"] == ["digit", "transposed"]


def test_layers_and_outputs_keep_their_names(found: dict[str, Any]) -> None:
    assert found["functional"]["outputs"] == ["digit", "score"]
    assert {"shared", "shared_call_2", "inside", "pool", "sum"} <= set(found["functional"]["names"])


@pytest.mark.parametrize("layout", ["last", "last_two", "last_but_one"])
def test_a_kernel_has_a_scale_for_each_output_channel(found: dict[str, Any], layout: str) -> None:
    kernel = found["kernels"][layout]
    assert 0.4 < kernel["error in steps"] < 0.501
    assert kernel["off the grid"] < 1e-3
    assert kernel["folded differs"] < 1e-3, "rounding commutes with what folds a normalization"
    assert kernel["gradient"] == 0, "straight through"


def test_bounds_grow_at_once_shrink_slowly_and_stay_while_nothing_is_trained(found: dict[str, Any]) -> None:
    bounds = found["bounds"]
    assert bounds["observed"] == bounds["used"] == [0, 2]
    assert bounds["grown"] == [-1, 8]
    assert bounds["shrunk"] == pytest.approx([-0.99, 7.92])
    zero, small, large = bounds["rounded"]
    assert (zero, small) == (0, 0)
    assert large == pytest.approx(7.92, abs=0.02)


@pytest.mark.parametrize("model", ["nothing", "convolution", "depthwise", "transposed", "average", "collapsing"])
def test_the_simulation_is_nearer_to_the_file_than_float32_is(found: dict[str, Any], model: str) -> None:
    likeness = found["likeness"][model]
    assert likeness["to float32"] > 0.001
    assert likeness["to the simulation"] < 0.6 * likeness["to float32"]


def test_training_with_it_brings_back_what_training_without_it_does_not(found: dict[str, Any]) -> None:
    trained = found["trained"]
    assert trained["as it was"] < 0.75
    assert trained["simulated"] > 0.91
    assert trained["simulated"] > trained["plain"] + 0.05


def test_the_same_seed_trains_the_same_weights(found: dict[str, Any]) -> None:
    assert found["trained"]["the same again"]


def test_what_cannot_be_trained_is_refused_in_words(found: dict[str, Any]) -> None:
    said = found["refusals"]
    assert "expected a model of layers (Sequential, or functional)" in said["own code"]
    assert "got the class Own, which computes by its own code" in said["own code"]
    assert said["arguments"].startswith("tuning:fit, called with a model, a folder, epoch: expected the arguments that")
    assert (said["finite"], said["not finite"]) == ("", "last/bias")
