"""A .tflite file as an MLflow model: saved, logged, loaded, and what is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mlflow
import numpy as np
import pytest
import yaml
from mlflow.exceptions import MlflowException

from litegate import flavor
from litegate.digest import digest_file
from litegate.errors import BadInput, ModelError, StoreError
from litegate.runtimes.litert import LiteRTModel

pytestmark = pytest.mark.e2e
IMAGES = np.random.default_rng(5).normal(size=(300, 8, 8, 1)).astype(np.float32)


@pytest.fixture(scope="module")
def saved(tflite_files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Folders that `save_model` wrote, by variant."""
    folder = tmp_path_factory.mktemp("saved")
    for variant, file in tflite_files.items():
        flavor.save_model(file, folder / variant)
    return {variant: str(folder / variant) for variant in tflite_files}


def test_threads_that_save_leave_the_process_as_it_was(saved, tflite_files, tmp_path):
    before = dict(os.environ)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda i: flavor.save_model(tflite_files["int8"], tmp_path / str(i)), range(16)))
    assert "dbutils" not in sys.modules
    assert dict(os.environ) == before


@pytest.mark.parametrize("variant", ["float32", "dynamic_range", "int8"])
def test_real_values_go_in_and_come_out_whatever_the_file_holds(saved, tflite_files, variant):
    expected = LiteRTModel(tflite_files[variant].read_bytes()).predict({"image": IMAGES})["scores"]
    served, native = mlflow.pyfunc.load_model(saved[variant]), flavor.load_model(saved[variant])
    for found in (served.predict({"image": IMAGES}), served.predict(IMAGES), native.predict({"image": IMAGES})):
        assert found["scores"].dtype == np.float32
        np.testing.assert_array_equal(found["scores"], expected)


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 300])
def test_a_batch_of_any_size_gives_what_its_samples_give(saved, size):
    served = mlflow.pyfunc.load_model(saved["int8"])
    whole = served.predict({"image": IMAGES[:size]})["scores"]
    some = sorted({0, size // 2, size - 1})
    singles = [served.predict({"image": IMAGES[i : i + 1]})["scores"] for i in some]
    np.testing.assert_array_equal(whole[some], np.concatenate(singles))
    assert len(whole) == size


def test_raw_values_go_in_and_come_out_if_asked_for(saved):
    native, served = flavor.load_model(saved["int8"]), mlflow.pyfunc.load_model(saved["int8"])
    raw = native.quantize({"image": IMAGES})["image"]
    expected = native.predict({"image": raw}, raw=True)["scores"]
    assert raw.dtype == expected.dtype == np.int8
    found = served.predict({"image": raw.astype(np.float32)}, params={"raw": True})["scores"]
    assert found.dtype == np.int8
    np.testing.assert_array_equal(found, expected)
    real = served.predict({"image": IMAGES})["scores"]
    np.testing.assert_allclose(native.outputs["scores"].dequantize(expected), real)


@pytest.mark.parametrize("value", [0.5, 128, -129, np.nan, np.inf])
def test_raw_values_that_the_file_cannot_hold_are_refused(saved, value):
    served = mlflow.pyfunc.load_model(saved["int8"])
    with pytest.raises(ValueError, match="expected raw values: whole numbers from -128 to 127"):
        served.predict({"image": np.full((1, 8, 8, 1), value, np.float32)}, params={"raw": True})


def test_values_of_another_type_or_shape_are_refused(saved):
    served = mlflow.pyfunc.load_model(saved["int8"])
    for bad in (IMAGES.astype(np.float64), IMAGES[:, :7]):
        with pytest.raises(MlflowException, match="Failed to enforce schema"):
            served.predict({"image": bad})


def test_many_threads_at_once_get_what_one_gets(saved):
    served = mlflow.pyfunc.load_model(saved["int8"])
    expected = served.predict({"image": IMAGES})["scores"]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda i: served.predict({"image": IMAGES[i : i + 9]})["scores"], range(0, 291, 3)))
    for start, scores in zip(range(0, 291, 3), found, strict=True):
        np.testing.assert_array_equal(scores, expected[start : start + 9])


def test_it_is_loaded_without_litegate_tensorflow_or_pickle(saved):
    code = (
        "import sys; sys.modules['tensorflow'] = sys.modules['litegate'] = None\n"
        "import mlflow, numpy\n"
        f"model = mlflow.pyfunc.load_model({saved['int8']!r})\n"
        "print(model.predict(numpy.zeros((3, 8, 8, 1), 'float32'))['scores'].shape)"
    )
    strict = {"MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false"}
    done = subprocess.run([sys.executable, "-c", code], env=strict, capture_output=True, text=True, check=False)
    assert "(3, 4)" in done.stdout, done.stderr
    assert not list(Path(saved["int8"]).rglob("*.pkl"))


def test_the_signature_and_the_example_are_those_of_the_file_and_carry_nobodys_data(saved):
    root = Path(saved["int8"])
    served = mlflow.pyfunc.load_model(saved["int8"])
    signature = served.metadata.signature
    assert [(spec.name, spec.type, spec.shape) for spec in signature.inputs] == [("image", np.float32, (-1, 8, 8, 1))]
    assert [(spec.name, spec.type, spec.shape) for spec in signature.outputs] == [("scores", np.float32, (-1, 4))]
    assert [(spec.name, spec.default) for spec in signature.params] == [("raw", False)]
    example = json.loads((root / "serving_input_example.json").read_text())["inputs"]
    np.testing.assert_array_equal(np.array(example["image"]), np.zeros((1, 8, 8, 1)))
    assert served.predict(served.input_example)["scores"].shape == (1, 4)


def test_the_flavor_names_the_file_its_digest_and_its_signature(saved, tflite_files):
    root = Path(saved["int8"])
    flavors = yaml.safe_load((root / "MLmodel").read_text())["flavors"]
    assert flavors["litert"] == {
        "data": "artifacts/int8.tflite",
        "signature_key": "serving_default",
        "tflite_sha256": digest_file(tflite_files["int8"]),
        "num_threads": 1,
    }
    assert digest_file(root / "artifacts/int8.tflite") == flavors["litert"]["tflite_sha256"]
    names = {line.split("==")[0] for line in (root / "requirements.txt").read_text().split()}
    assert names == {"mlflow-skinny", "numpy", "pandas", "ai-edge-litert"}


def test_a_file_of_ones_own_is_logged_and_registered_without_a_run(mlflow_url, tflite_files, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in ("uv.lock", "pyproject.toml"):
        Path(name).write_text("private")
    mlflow.set_experiment("my own files")
    info = flavor.log_model(tflite_files["float32"], registered_model_name="mine", params={"by": "me"})
    assert (info.signature.inputs.input_names(), info.params["by"]) == (["image"], "me")
    native = flavor.load_model("models:/mine/1")
    expected = LiteRTModel(tflite_files["float32"].read_bytes()).predict({"image": IMAGES})["scores"]
    np.testing.assert_array_equal(native.predict({"image": IMAGES})["scores"], expected)
    root = Path(mlflow.artifacts.download_artifacts("models:/mine/1"))
    assert not [path for path in root.rglob("*") if path.is_file() and path.read_bytes() == b"private"]
    assert str(tflite_files["float32"].parent) not in (root / "MLmodel").read_text()


def test_a_file_without_signatures_goes_by_the_names_of_its_tensors(unsigned, tflite_files, tmp_path):
    file = tmp_path / "unsigned.tflite"
    file.write_bytes(unsigned)
    flavor.save_model(file, tmp_path / "saved")
    served, native = mlflow.pyfunc.load_model(str(tmp_path / "saved")), flavor.load_model(str(tmp_path / "saved"))
    expected = LiteRTModel(tflite_files["int8"].read_bytes()).predict({"image": IMAGES})["scores"]
    (name,), (output,) = native.inputs, native.outputs
    np.testing.assert_array_equal(served.predict({name: IMAGES})[output], expected)
    np.testing.assert_array_equal(native.predict({name: IMAGES})[output], expected)


@pytest.mark.parametrize("size", [1, 4, 6, 300])
def test_a_file_for_a_fixed_number_of_samples_takes_any(of_four, tflite_files, tmp_path, size):
    file = tmp_path / "four.tflite"
    file.write_bytes(of_four)
    flavor.save_model(file, tmp_path / "saved")
    found = mlflow.pyfunc.load_model(str(tmp_path / "saved")).predict({"image": IMAGES[:size]})["scores"]
    expected = LiteRTModel(tflite_files["float32"].read_bytes()).predict({"image": IMAGES[:size]})["scores"]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_an_example_of_ones_own_travels_only_if_given(tflite_files, tmp_path):
    flavor.save_model(tflite_files["int8"], tmp_path / "saved", input_example={"image": IMAGES[:2]})
    served = mlflow.pyfunc.load_model(str(tmp_path / "saved"))
    np.testing.assert_allclose(served.input_example["image"], IMAGES[:2])


def test_what_is_no_model_or_has_no_such_signature_is_refused_and_logs_nothing(mlflow_url, tflite_files, tmp_path):
    bad = tmp_path / "bad.tflite"
    bad.write_bytes(b"no model")
    mlflow.set_experiment("refused")
    for file, key, message in [
        (bad, None, "bad.tflite: expected a LiteRT model"),
        (tmp_path / "none.tflite", None, "none.tflite: expected a LiteRT model"),
        (tflite_files["int8"], "other", "expected one of serving_default, got other"),
    ]:
        with pytest.raises(ModelError, match=message):
            flavor.log_model(file, "x", key)
    assert not mlflow.search_logged_models(output_format="list")


def test_a_file_that_was_changed_is_not_loaded(tflite_files, tmp_path):
    flavor.save_model(tflite_files["int8"], tmp_path / "saved")
    file = tmp_path / "saved/artifacts/int8.tflite"
    file.write_bytes(file.read_bytes() + b"!")
    with pytest.raises(StoreError, match="log it again"):
        flavor.load_model(str(tmp_path / "saved"))
    with pytest.raises(ValueError, match="SHA-256 differs"):
        mlflow.pyfunc.load_model(str(tmp_path / "saved"))


def test_another_flavor_is_refused_by_name(tmp_path):
    (tmp_path / "MLmodel").write_text("flavors:\n  sklearn: {}\n")
    with pytest.raises(BadInput, match="expected the flavor litert, got sklearn"):
        flavor.load_model(str(tmp_path))
    (tmp_path / "MLmodel").unlink()
    with pytest.raises(BadInput, match="expected an MLflow model"):
        flavor.load_model(str(tmp_path))
