"""LiteRT's own quantizer: what it makes by each recipe, read from the bytes; and what its files depend on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from litegate.datasets.representative import Samples
from litegate.engines import ENGINES
from litegate.engines.engine import Calibration, Refused, SourceModel
from litegate.engines.litert_quantizer import Engine, quantizer_recipe
from litegate.inspection.flatbuffer import read_file
from litegate.inspection.scheme import count, mismatch, scheme_of
from litegate.inspection.tflite import describe_unopened
from litegate.variants import LITERT_QUANTIZER, VARIANTS, Variant

pytestmark = pytest.mark.e2e

SAMPLES = 20
SCHEMES = {
    "dynamic_range": "dynamic_range",
    "int8_float_fallback": "mixed",
    "int8": "int8",
    "int16x8": "int16x8",
    "int16x8_integer_io": "int16x8",
    "weight_only_int8": "weight_only",
    "weight_only_int4": "weight_only",
    "int4": "dynamic_range",
    "int4_octav": "dynamic_range",
    "int4_blockwise_32": "dynamic_range",
}


@pytest.fixture(scope="module")
def float32(tflite_files: dict[str, Path]) -> bytes:
    return tflite_files["float32"].read_bytes()


def samples_of(float32: bytes) -> Samples:
    rng = np.random.default_rng(17)
    return {
        key: {
            name: rng.normal(size=(SAMPLES, *tensor.shape[1:])).astype(np.float32)
            for name, tensor in signature.inputs.items()
        }
        for key, signature in describe_unopened(float32).items()
    }


def turned(samples: Samples) -> Samples:
    return {key: {name: value[::-1] for name, value in features.items()} for key, features in samples.items()}


def made(float32: bytes, variant: Variant, samples: Samples | None = None) -> bytes:
    assert variant.recipe is not None
    calibration = Calibration(samples or samples_of(float32), SAMPLES) if variant.calibrated else None
    return Engine().make(SourceModel(Path(), float32), variant.recipe, calibration, lambda *_: None)


@pytest.mark.parametrize("name", SCHEMES)
def test_a_file_is_by_its_bytes_what_was_asked_for(float32: bytes, name: str) -> None:
    content = made(float32, VARIANTS[name])
    found = count(read_file(content))
    assert mismatch(found, VARIANTS[name]) is None
    assert scheme_of(found) in (SCHEMES[name], "int8"), "where nothing stays in float, a fallback is integer only"
    (signature,) = describe_unopened(content).values()
    recipe = VARIANTS[name].recipe
    assert recipe is not None
    assert {tensor.dtype for tensor in (*signature.inputs.values(), *signature.outputs.values())} == {recipe.io}


def test_all_that_it_makes_is_tried_here() -> None:
    assert set(SCHEMES) == ENGINES[LITERT_QUANTIZER].makes


@pytest.mark.parametrize("name", ["int8", "int16x8"])
def test_the_order_of_the_samples_changes_no_byte(float32: bytes, name: str) -> None:
    samples = samples_of(float32)
    assert made(float32, VARIANTS[name], samples) == made(float32, VARIANTS[name], turned(samples))


def test_the_samples_do_change_the_file(float32: bytes) -> None:
    samples = samples_of(float32)
    wider = {key: {name: 3 * value for name, value in features.items()} for key, features in samples.items()}
    assert made(float32, VARIANTS["int8"], samples) != made(float32, VARIANTS["int8"], wider)


def test_it_does_without_tensorflow(float32: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(float32)
    program = (
        "import sys; from pathlib import Path; from litegate.engines.litert_quantizer import Engine;"
        "from litegate.engines.engine import SourceModel; from litegate.variants import VARIANTS;"
        "content = Path(sys.argv[1]).read_bytes();"
        "made = Engine().make(SourceModel(Path(), content), VARIANTS['int4'].recipe, None, lambda *_: None);"
        "print(len(made) < len(content), 'tensorflow' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "model.tflite")], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["True", "False"]


def test_what_is_no_model_is_refused_in_words() -> None:
    with pytest.raises(Refused, match="LiteRT's quantizer refused int4: "):
        made(b"no model", VARIANTS["int4"])


def test_a_quantizer_that_leaves_all_in_float_is_found_out(inspected: Path) -> None:
    """Weights in blocks are for fully connected layers alone, and nothing says what became of the others."""
    content = made((inspected / "table.float32.tflite").read_bytes(), VARIANTS["int4_blockwise_32"])
    said = mismatch(count(read_file(content)), VARIANTS["int4_blockwise_32"])
    assert said is not None
    assert said.startswith("0% of its weights are int4, at least half are asked for")


def test_weights_in_blocks_are_seen_as_what_they_are(float32: bytes) -> None:
    """Their scales, kept in float16, are no weights."""
    file = read_file(made(float32, VARIANTS["int4_blockwise_32"]))
    assert {tensor.block for tensor in file.constants() if tensor.type == "int4"} == {32}
    assert count(file).half_weights == 0


def test_sizes_that_are_no_multiple_of_a_block_are_refused_in_words(inspected: Path) -> None:
    with pytest.raises(Refused, match=r"refused int4_blockwise_32: .* not divisible by block size 32"):
        made((inspected / "many.float32.tflite").read_bytes(), VARIANTS["int4_blockwise_32"])


def test_the_recipe_is_the_quantizers_own_words() -> None:
    recipe = VARIANTS["int4_octav"].recipe
    assert recipe is not None
    (rule,) = quantizer_recipe(recipe)
    assert rule["algorithm_key"] == "OCTAV"
    assert rule["op_config"]["weight_tensor_config"]["num_bits"] == 4
