"""Whole files by integer arithmetic: what TensorFlow Lite Micro gives, in any batch, and what is refused by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from litegate.runtimes import RUNTIMES, load_runtime, reference
from litegate.runtimes.arithmetic import KERNELS, facts, load
from tests.components.runtimes.arithmetic.one_operator import Given, file_of
from tests.models.once import Maker

MAKER = Path(__file__).parents[3] / "models" / "make_arithmetic.py"
SIXTEEN_REFUSED = {"curves"}
"""Models with a curve of 16 bits."""


@pytest.fixture(scope="module")
def files(maker: Maker, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What `make_arithmetic.py` writes, by `<model>-<variant>`."""
    folder = maker.make(tmp_path_factory.mktemp("arithmetic"), str(MAKER), "{folder}", sources=(MAKER,))
    return {path.stem: path.read_bytes() for path in folder.glob("*.tflite")}


@pytest.mark.e2e
@pytest.mark.skipif(not RUNTIMES["tflite_micro"].installed, reason="tflite-micro has no wheel for this machine")
@pytest.mark.parametrize("variant", ["int8", "uint8", "int16x8"])
@pytest.mark.parametrize("model", ["mobile", "logits", "elements", "curves"])
def test_converted_models_give_the_bits_of_tensorflow_lite_micro(
    files: dict[str, bytes], model: str, variant: str
) -> None:
    content = files[f"{model}-{variant}"]
    if model in SIXTEEN_REFUSED and variant == "int16x8":
        assert facts(content).refused == "TANH on int16"
        return
    ours, theirs = load(content), load_runtime("tflite_micro").load(content)
    assert (ours.signature, ours.inputs, ours.outputs) == (theirs.signature, theirs.inputs, theirs.outputs)
    shape = ours.inputs["image"].shape[1:]
    images = np.random.default_rng(8).normal(size=(70, *shape)).astype(np.float32)
    found, expected = (each.predict({"image": images}) for each in (ours, theirs))
    for name, values in expected.items():
        assert np.array_equal(found[name], values)
        assert np.ptp(values, axis=0).max() > 0, "a sample of its own in each row"


@pytest.mark.e2e
def test_it_is_a_rounding_away_from_lite_rts_reference_kernels(files: dict[str, bytes]) -> None:
    """Those compute the softmax in float, and round the sums of dense layers once."""
    for name, content in files.items():
        if facts(content).refused is None:
            ours, theirs = load(content), reference.load(content)
            shape = ours.inputs["image"].shape[1:]
            images = np.random.default_rng(8).normal(size=(70, *shape)).astype(np.float32)
            ((output, tensor),) = ours.outputs.items()
            apart = np.abs(ours.predict({"image": images})[output] - theirs.predict({"image": images})[output])
            step = tensor.scale or 1 / 128
            assert apart.max() <= 2.5 * step, name


ACTIVATION = Given("int8", (1, 4, 4, 2), (0.1,), (3,))
OUTPUT = Given("int8", (1, 4, 4, 2), (0.2,), (-7,))


def convolution(filters: tuple[int, ...], **changes: object) -> bytes:
    count = filters[0]
    weights = Given("int8", filters, (0.1,) * count, values=np.ones(filters))
    options = {"padding": 0, "strideH": 1, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": 1} | changes
    return file_of("CONV_2D", [ACTIVATION, weights], OUTPUT, **options)


REFUSED = {
    "an operator": (file_of("SIN", [ACTIVATION], OUTPUT), "the operator SIN"),
    "groups": (convolution((2, 3, 3, 1)), "CONV_2D in groups"),
    "an activation": (convolution((2, 1, 1, 2), fusedActivationFunction=4), "a fused activation of kind 4"),
    "float": (
        file_of("ADD", [Given("float32", (1, 3))] * 2, Given("float32", (1, 3))),
        "ADD on float32",
    ),
    "batches mixed": (
        file_of(
            "MEAN", [ACTIVATION, Given("int32", (1,), values=np.array([0]))], Given("int8", (1, 4, 4, 2), (0.1,), (3,))
        ),
        "MEAN over samples",
    ),
    "computed weights": (
        file_of("FULLY_CONNECTED", [Given("int8", (1, 3), (0.1,))] * 2, Given("int8", (1, 1), (0.1,))),
        "FULLY_CONNECTED whose input 1 is computed",
    ),
    "a scale for each channel": (
        file_of("RELU", [Given("int8", (1, 2), (0.1, 0.2), (0, 0), axis=1)], Given("int8", (1, 2), (0.1,))),
        "has 2 scales",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_it_does_not_know_is_refused_by_name_as_it_is_loaded(what: str) -> None:
    content, why = REFUSED[what]
    found = facts(content)
    assert found.kernels == KERNELS
    assert found.refused is not None
    assert why in found.refused
    with pytest.raises(RuntimeError, match=why):
        load(content)


def test_samples_are_independent_of_their_batch() -> None:
    model = load(convolution((2, 3, 3, 2)))
    values = np.random.default_rng(1).normal(size=(75, 4, 4, 2)).astype(np.float32)
    whole = model.predict({"x0": values})["y"]
    alone = np.concatenate([model.predict({"x0": values[row : row + 1]})["y"] for row in range(75)])
    assert whole.shape == (75, 4, 4, 2)
    assert np.array_equal(whole, alone)
    assert np.ptp(whole) > 0


def test_sums_beyond_single_precision_are_exact_in_double() -> None:
    """Over 2^24 of one size, of which float32 loses the last bit."""
    depth = 1_201
    rng = np.random.default_rng(5)
    weights = Given("int8", (1, depth), (0.01,), values=np.full((1, depth), 127))
    one, output = Given("int16", (1, depth), (0.01,)), Given("int16", (1, 1), (200.0,))
    model = load(file_of("FULLY_CONNECTED", [one, weights], output))
    values = rng.integers(30_000, 32_767, (4, depth), np.int16)
    sums = values.astype(np.int64).sum(axis=1) * 127
    assert sums.min() > 1 << 24
    assert model.invoke({"x0": values})["y"].ravel() == pytest.approx(sums * 0.01 * 0.01 / 200, abs=1)
