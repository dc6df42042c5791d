"""What is read off real files: scheme, operators, multiply-accumulates, islands, buffers, weights."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from litegate.digest import digest_bytes
from litegate.inspection import calibrator_problem, count, inspect_file, mismatch, not_a_baseline, read_file
from litegate.inspection.flatbuffer import File
from litegate.inspection.weights import WEIGHT_TOLERANCE, compare_weights
from litegate.records import Artifact, FileRef, Inspection
from litegate.variants import DOCUMENTED
from tests.models.unpacking import Model, make

pytestmark = pytest.mark.e2e

REAL = Path(__file__).parents[4] / "shared" / "real" / "resnet8-cifar10"
LAYER_MACS = 100 * 4 * 9 + 100 * 8 * 36 + 2 * 25 * 16 * 16 + 400 * 40 + 40 * 6


def inspection(folder: Path, name: str, variant: str, target: str = "cpu") -> Inspection:
    content, baseline = (read(folder, f"{name}.{each}") for each in (variant, "float32"))
    file = FileRef(name=f"{variant}.tflite", digest=digest_bytes(b"x"), bytes=content.size)
    artifact = Artifact(variant=variant, file=file, signatures={})
    return inspect_file(content, artifact, None if variant == "float32" else baseline, target)


def read(folder: Path, name: str) -> File:
    return read_file((folder / f"{name}.tflite").read_bytes())


SCHEMES = {
    "float32": "float32",
    "dynamic_range": "dynamic_range",
    "float16": "float16",
    "int8_float_fallback": "int8",
    "int8": "int8",
    "uint8": "int8",
    "int16x8": "int16x8",
    "int16x8_float_fallback": "int16x8",
}


@pytest.mark.parametrize("variant", DOCUMENTED)
def test_the_scheme_and_the_work_are_read_from_the_bytes(inspected: Path, variant: str) -> None:
    found = inspection(inspected, "many", variant)
    assert found.scheme == SCHEMES[variant]
    assert found.macs == LAYER_MACS
    in_float = found.scheme in ("float32", "float16", "dynamic_range")
    assert found.float_share == (1.0 if in_float else 0.0)
    assert found.findings == found.blocking == ()
    assert found.islands == 0
    assert sum(use.bytes for use in found.buffers) == read(inspected, f"many.{variant}").size
    assert len(found.model_dump_json()) < 16_000


def test_operators_are_told_by_name_types_and_how_they_compute(inspected: Path) -> None:
    uses = {use.name: use for use in inspection(inspected, "many", "int8").operators if use.macs}
    convolution = uses["CONV_2D"]
    assert (convolution.computes, convolution.count) == ("integer", 3)
    assert convolution.inputs == ("int8", "int8 constant", "int32 constant")
    assert convolution.outputs == ("int8",)
    hybrid = [use for use in inspection(inspected, "many", "dynamic_range").operators if use.computes == "hybrid"]
    assert {use.inputs for use in hybrid} == {("float32", "int8 constant", "float32 constant")}


def test_weights_are_counted_by_how_they_are_scaled_and_where_the_bytes_are(inspected: Path) -> None:
    found = inspection(inspected, "many", "int8")
    assert (found.per_axis, found.per_tensor) == (6, 0)
    sizes = {use.kind: use.bytes for use in found.buffers}
    assert sizes["weights int8"] == 36 + 8 * 36 + 2 * 16 * 16 + 400 * 40 + 40 * 6
    assert sizes["bias int32"] == 4 * (4 + 8 + 16 + 16 + 40 + 6)
    assert found.largest[0].shape == (40, 400)
    halves = {use.kind: use.bytes for use in inspection(inspected, "many", "float16").buffers}
    assert halves["weights float16"] == 2 * sizes["weights int8"]
    lstm = inspection(inspected, "lstm", "int8")
    assert (lstm.scheme, lstm.per_axis, lstm.per_tensor) == ("int8", 1, 8)


@pytest.mark.parametrize(("variant", "compared"), [("dynamic_range", 1), ("int8", 11), ("uint8", 11), ("int16x8", 11)])
def test_a_weight_is_its_integer_less_zero_point_times_scale(inspected: Path, variant: str, compared: int) -> None:
    match = compare_weights(read(inspected, f"many.{variant}"), read(inspected, "many.float32"))
    assert match.compared == compared
    assert match.error is not None
    assert 0.3 < match.error <= WEIGHT_TOLERANCE
    assert match.far == ()


def test_the_mapping_holds_value_by_value(inspected: Path) -> None:
    quantized = {t.name: t for t in read(inspected, "many.int8").constants() if t.type == "int8" and t.quantized}
    originals = {t.name: t.values() for t in read(inspected, "many.float32").constants()}
    assert len(quantized) == 6
    for name, tensor in quantized.items():
        values = np.asarray(tensor.values(), np.float64)
        for channel in range(values.shape[tensor.axis]):
            real = np.take(values, channel, tensor.axis) * tensor.scales[channel]
            expected = np.take(originals[name], channel, tensor.axis)
            assert np.abs(real - expected).max() <= 0.5001 * tensor.scales[channel]


def test_weights_of_another_model_are_found_out(inspected: Path, unpacked: Callable[[str], Model]) -> None:
    model = unpacked("many.int8")
    model.data(model.input("FULLY_CONNECTED", 1))[:400] = 0
    match = compare_weights(read_file(model.packed()), read(inspected, "many.float32"))
    assert len(match.far) == 1
    assert match.far[0][1] > 100


def test_what_hardware_would_refuse_blocks_integer_variants_and_targets(
    inspected: Path, unpacked: Callable[[str], Model], tmp_path: Path
) -> None:
    model = unpacked("many.int8")
    model.data(model.input("CONV_2D", 1))[0] = 128
    for variant in ("int8", "int8_float_fallback"):
        (tmp_path / f"many.{variant}.tflite").write_bytes(model.packed())
    (tmp_path / "many.float32.tflite").write_bytes((inspected / "many.float32.tflite").read_bytes())
    assert "weight_range" in inspection(tmp_path, "many", "int8").blocking
    assert inspection(tmp_path, "many", "int8_float_fallback").blocking == ()
    assert "weight_range" in inspection(tmp_path, "many", "int8_float_fallback", "microcontroller").blocking
    assert "weight_range" in {each.code for each in inspection(tmp_path, "many", "int8_float_fallback").findings}


CALIBRATORS = [
    ("gru", "WHILE"),
    ("loop", "WHILE"),
    ("branch", "IF"),
    ("memory", "VAR_HANDLE"),
    ("table", "HASHTABLE_FIND"),
    ("many", None),
    ("lstm", None),
]


@pytest.mark.parametrize(("model", "operator"), CALIBRATORS)
def test_models_that_kill_the_calibrator_are_told_by_their_operators(
    inspected: Path, model: str, operator: str | None
) -> None:
    problem = calibrator_problem(read(inspected, f"{model}.float32"))
    assert (problem is None) == (operator is None)
    assert operator is None or f"{operator} (" in str(problem)


def test_only_a_float32_file_is_a_baseline(inspected: Path) -> None:
    problems = {variant: not_a_baseline(count(read(inspected, f"many.{variant}"))) for variant in DOCUMENTED}
    assert problems.pop("float32") is None
    assert "float16 weights" in str(problems.pop("float16"))
    assert all("quantized weights" in str(problem) for problem in problems.values())
    fake = not_a_baseline(count(read(inspected, "fake.float32")))
    assert fake == "3 operators that round to quantized values, as quantization-aware training leaves them"


@pytest.mark.parametrize("content", [b"", b"hello", b"\x18\0\0\0TFL3", b"TFL3" * 9])
def test_bytes_that_are_no_model_are_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"no LiteRT model|damaged"):
        read_file(content)


def test_damaged_bytes_never_end_the_reader_otherwise(inspected: Path) -> None:
    content = (inspected / "many.int8.tflite").read_bytes()
    random = np.random.default_rng(5)
    for _ in range(60):
        damaged = bytearray(content)
        for place in random.integers(8, len(damaged), 20):
            damaged[place] ^= 1 << int(random.integers(8))
        with suppress(ValueError):
            read_file(bytes(damaged[: int(random.integers(8, len(damaged)))]))


@pytest.mark.skipif(not (REAL / "model.h5").exists(), reason="no real model here")
def test_a_real_model_keeps_the_specification_in_every_variant(tmp_path: Path) -> None:
    from PIL import Image

    with tarfile.open(REAL / "train.tar") as archive:
        members = [member for member in archive.getmembers() if member.isfile()][::50]
        images = [np.asarray(Image.open(archive.extractfile(each)), np.float32) for each in members]  # type: ignore[arg-type]
    np.savez(tmp_path / "samples.npz", calibration=np.stack(images))
    make(tmp_path, REAL / "model.h5", tmp_path / "samples.npz")
    for variant in DOCUMENTED:
        found = inspection(tmp_path, "real", variant)
        assert found.scheme == SCHEMES[variant]
        assert found.findings == ()
        assert found.macs == 12_501_632
        assert variant == "float32" or mismatch(count(read(tmp_path, f"real.{variant}")), DOCUMENTED[variant]) is None
        assert found.weight_error is None or found.weight_error <= WEIGHT_TOLERANCE
