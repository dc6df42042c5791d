"""The adapter: real values in and out of float and integer-only files, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from litegate.runtimes.litert import (
    LiteRTModel,
    Misfit,
    Tensor,
    WrongType,
    check_features,
    check_rows,
    choose_signature,
    rows_at_once,
)


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(3).normal(size=(37, 8, 8, 1)).astype(np.float32)


@pytest.mark.e2e
@pytest.mark.parametrize("variant", ["float32", "dynamic_range", "int8"])
def test_a_batch_gives_what_its_samples_give_one_by_one(
    tflite_files: dict[str, Path], images: np.ndarray, variant: str
) -> None:
    model = LiteRTModel(tflite_files[variant].read_bytes())
    (whole,) = model.predict({"image": images}).values()
    singles = [next(iter(model.predict({"image": images[i : i + 1]}).values())) for i in range(len(images))]
    assert whole.shape == (37, 4)
    assert whole.dtype == np.float32
    np.testing.assert_allclose(whole, np.concatenate(singles), atol=1e-6)


@pytest.mark.e2e
def test_an_integer_only_file_answers_in_real_values(tflite_files: dict[str, Path], images: np.ndarray) -> None:
    real, integer = (LiteRTModel(tflite_files[name].read_bytes()) for name in ("float32", "int8"))
    assert next(iter(integer.inputs.values())).dtype == np.int8
    (expected,), (found,) = (model.predict({"image": images}).values() for model in (real, integer))
    assert np.abs(expected - found).max() < 0.3
    assert np.mean(expected.argmax(1) == found.argmax(1)) > 0.85
    (reference,) = (
        LiteRTModel(tflite_files["int8"].read_bytes(), reference_kernels=True).predict({"image": images}).values()
    )
    assert np.abs(reference - found).max() < 0.1


BAD = [
    ({}, ValueError, "inputs: expected image, got none"),
    ({"picture": np.zeros((1, 8, 8, 1), np.float32)}, ValueError, "expected image, got picture"),
    ({"image": np.zeros((1, 8, 8, 1))}, TypeError, "expected type float32, got float64"),
    ({"image": np.zeros((8, 8, 1), np.float32)}, ValueError, r"expected shape \(batch, 8, 8, 1\), got \(8, 8, 1\)"),
    ({"image": np.zeros((1, 9, 8, 1), np.float32)}, ValueError, r"got \(1, 9, 8, 1\)"),
    ({"image": np.zeros((0, 8, 8, 1), np.float32)}, ValueError, "at least 1"),
]


@pytest.mark.e2e
@pytest.mark.parametrize(("features", "error", "message"), BAD)
def test_features_that_do_not_fit_are_refused(
    tflite_files: dict[str, Path], features: dict[str, np.ndarray], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        LiteRTModel(tflite_files["float32"].read_bytes()).predict(features)


def test_bytes_that_are_no_model_are_refused() -> None:
    with pytest.raises(ValueError, match="Flatbuffer"):
        LiteRTModel(b"not a model")


def test_quantization_rounds_and_clips_and_comes_back() -> None:
    tensor = Tensor((-1,), np.dtype(np.int8), scale=0.5, zero_point=-3)
    values = np.array([0, 0.6, -1.1, 1e6, -1e6], np.float32)
    quantized = tensor.quantize(values)
    assert quantized.tolist() == [-3, -2, -5, 127, -128]
    assert tensor.dequantize(quantized).tolist() == [0.0, 0.5, -1.0, 65.0, -62.5]


def test_what_is_not_quantized_passes_unchanged() -> None:
    tensor = Tensor((-1,), np.dtype(np.int32), scale=0.0, zero_point=0)
    values = np.array([1, 2], np.int32)
    assert tensor.quantize(values) is values
    assert tensor.real_dtype == np.int32


@pytest.mark.parametrize(
    ("keys", "wanted", "expected"),
    [(("a",), None, "a"), (("a", "serving_default"), None, "serving_default"), (("a", "b"), "b", "b")],
)
def test_the_signature_is_the_one_asked_for_or_the_obvious_one(
    keys: tuple[str, ...], wanted: str | None, expected: str
) -> None:
    assert choose_signature(keys, wanted) == expected


@pytest.mark.parametrize(("keys", "wanted"), [(("a", "b"), None), (("a",), "c"), ((), None)])
def test_a_signature_that_is_not_there_or_not_clear_is_refused(keys: tuple[str, ...], wanted: str | None) -> None:
    with pytest.raises(ValueError, match="signature: expected"):
        choose_signature(keys, wanted)


def test_what_does_not_fit_is_said_in_parts() -> None:
    inputs = {"image": Tensor((-1, 8), np.dtype(np.float32), 0.0, 0)}
    with pytest.raises(Misfit) as caught:
        check_features({"image": np.zeros((2, 9), np.float32)}, inputs)
    said = caught.value
    assert (said.what, said.expected, said.got) == ("input 'image'", "shape (batch, 8)", "(2, 9)")
    with pytest.raises(WrongType, match=r"^input 'image': expected type float32, got int8$"):
        check_features({"image": np.zeros((2, 8), np.int8)}, inputs)


def test_an_output_that_is_one_number_for_all_samples_is_named() -> None:
    check_rows({"p": np.zeros((4, 10)), "n": np.zeros(4)})
    with pytest.raises(RuntimeError, match="the output 'mean' is one number for all samples: save the model without"):
        check_rows({"p": np.zeros((4, 10)), "mean": np.float32(0.5)})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("dtype", "shapes", "rows"),
    [
        (np.float32, [(-1, 4)], 256),
        (np.float32, [(-1, 32, 32, 3), (-1, 32, 32, 16), (-1, 10)], 8),
        (np.int8, [(-1, 32, 32, 3), (-1, 32, 32, 16), (-1, 10)], 32),
        (np.float32, [(-1, 32, 32, 3), (5000, 5000)], 32),
        (np.float32, [(-1, 224, 224, 3), (-1, 112, 112, 96)], 1),
        (np.float32, [(-1, -1, 8)], 256),
        (np.float32, [], 256),
    ],
    ids=["small", "ResNet-8", "ResNet-8 int8", "weights", "MobileNetV2", "free axis", "nothing"],
)
def test_so_many_samples_go_into_one_invoke_as_fit_a_cache(
    dtype: type[np.generic], shapes: list[tuple[int, ...]], rows: int
) -> None:
    assert rows_at_once(Tensor(shape, np.dtype(dtype), 0.0, 0) for shape in shapes) == rows
