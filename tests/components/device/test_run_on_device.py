"""The script for boards, run as it is run there: by itself, with numpy and LiteRT alone."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from litegate.device import run_on_device
from litegate.runtimes.device_evidence import fed_digests, read_evidence
from litegate.runtimes.litert import LiteRTModel
from litegate.settings import settings
from tests.components.runtimes.recording import IDS, IMAGES

SCRIPT = Path(run_on_device.__file__)


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    known = {"format": np.array(1), "signature": np.array("serving_default"), "id": IDS}
    np.savez(tmp_path / "samples.npz", **known, fed=fed_digests({"image": IMAGES}), **{"input/image": IMAGES})
    return tmp_path / "samples.npz"


def run(*arguments: Any) -> subprocess.CompletedProcess[str]:
    """With a Python that has LiteRT, in a mode in which it sees nothing of this checkout."""
    command = [settings().pythons["tensorflow"], "-I", SCRIPT, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("variant", ["float32", "dynamic_range", "int8"])
def test_it_records_what_the_file_gives(
    tflite_files: dict[str, Path], samples: Path, tmp_path: Path, variant: str
) -> None:
    file = tflite_files[variant]
    done = run(file, samples, "--device", "pi5", "-o", tmp_path / "e.npz")
    assert done.returncode == 0, done.stderr
    assert "6 samples by ai-edge-litert 2." in done.stdout
    assert "6 of 6 samples" in done.stderr
    evidence, model = read_evidence(tmp_path / "e.npz"), LiteRTModel(file.read_bytes())
    expected = [model.predict(model.quantize({"image": IMAGES[row : row + 1]}), raw=True) for row in range(len(IMAGES))]
    assert evidence.outputs["scores"].dtype == expected[0]["scores"].dtype
    assert evidence.outputs["scores"].tolist() == [each["scores"][0].tolist() for each in expected]
    assert (evidence.device, evidence.id.tolist()) == ("pi5", IDS.tolist())
    assert evidence.fed.tolist() == fed_digests({"image": IMAGES}).tolist()
    assert (evidence.seconds > 0).all()
    assert "1 thread" in evidence.runtime


def test_what_ran_can_be_said_in_other_words(tflite_files: dict[str, Path], samples: Path, tmp_path: Path) -> None:
    words = "vendor NPU 3.1"
    run(tflite_files["int8"], samples, "--device", "npu", "--runtime", words, "-o", tmp_path / "e.npz")
    assert read_evidence(tmp_path / "e.npz").runtime == words


def test_nothing_is_left_of_a_run_that_fails(tflite_files: dict[str, Path], samples: Path, tmp_path: Path) -> None:
    output = tmp_path / "e.npz"
    output.write_bytes(b"of an earlier run")
    with np.load(samples) as arrays:
        other = dict(arrays)
    np.savez(samples, **other | {"input/image": IMAGES[:, :4]})
    done = run(tflite_files["int8"], samples, "--device", "pi5", "-o", output)
    assert done.returncode != 0
    assert output.read_bytes() == b"of an earlier run"
    assert sorted(path.name for path in tmp_path.glob("e.npz*")) == ["e.npz"]


def test_samples_of_another_format_are_refused(tflite_files: dict[str, Path], samples: Path, tmp_path: Path) -> None:
    with np.load(samples) as arrays:
        other = dict(arrays) | {"format": np.array(2)}
    np.savez(samples, **other)
    done = run(tflite_files["int8"], samples, "--device", "pi5", "-o", tmp_path / "e.npz")
    assert "the samples are of format 2, and this script is for 1" in done.stderr
    assert not (tmp_path / "e.npz").exists()


def test_it_explains_itself() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert "--device NAME" in done.stdout


class Runner:
    """A signature of a file with a batch of two, whose inputs are 8-bit, and which counts its calls."""

    def __init__(self) -> None:
        self.fed: list[np.ndarray[Any, Any]] = []
        self.resets = 0

    def get_signature_runner(self, key: str) -> Runner:
        assert key == "serving_default"
        return self

    def get_input_details(self) -> dict[str, Any]:
        shape = np.array([2, 8, 8, 1])
        return {"image": {"dtype": np.int8, "quantization": (0.5, 3), "shape_signature": shape}}

    def __call__(self, image: np.ndarray[Any, Any]) -> dict[str, np.ndarray[Any, Any]]:
        self.fed.append(image)
        return {"scores": image.reshape(2, -1)[:, :4]}

    def reset_all_variables(self) -> None:
        self.resets += 1


def test_a_fixed_batch_is_filled_values_are_clipped_and_state_is_forgotten(
    samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = Runner()
    monkeypatch.setattr(run_on_device, "Interpreter", lambda model_content, num_threads: runner)
    with zipfile.ZipFile(samples) as archive:
        given = run_on_device.Samples(archive)
        outputs, seconds = run_on_device.run(run_on_device.Model(b"", given.signature, 1), given)
    quantized = np.clip(np.rint(IMAGES / 0.5) + 3, -128, 127).astype(np.int8)
    assert outputs["scores"].tolist() == quantized.reshape(6, -1)[:, :4].tolist()
    assert all(fed.shape == (2, 8, 8, 1) and (fed[0] == fed[1]).all() for fed in runner.fed)
    assert len(seconds) == 6
    assert len(runner.fed) == runner.resets == 6 + run_on_device.WARM_UP
    limits = run_on_device.quantize(np.array([[1e9, -1e9]], np.float32), runner.get_input_details()["image"])
    assert limits.tolist() == [[127, -128]]
