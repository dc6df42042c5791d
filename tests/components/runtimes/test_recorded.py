"""A device as a runtime: its answers are found by what was fed, and nothing else is ever answered."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from litegate.diagnosis import kind_of, message_of
from litegate.errors import BadInput, StepFailed
from litegate.failures import FailureKind
from litegate.runtimes import RUNTIMES, load_runtime, runtime_row, unused_modules
from litegate.runtimes.litert import LiteRTModel
from tests.components.runtimes.recording import IDS, IMAGES, recorded, written

FEATURES = {"image": IMAGES}


@pytest.mark.parametrize("variant", ["float32", "int8"])
def test_a_device_gives_what_it_gave_whatever_is_asked_in_which_order(
    tflite_files: dict[str, Path], tmp_path: Path, variant: str
) -> None:
    content = tflite_files[variant].read_bytes()
    path = written(tmp_path / "e.npz", recorded(content, FEATURES, IDS))
    model = load_runtime("device:pi5", path).load(content)
    usual = LiteRTModel(content)
    assert (model.signature, model.inputs, model.outputs) == (usual.signature, usual.inputs, usual.outputs)
    assert model.kernels == "device:pi5 (LiteRT of the tests)"
    for rows in ([0, 1, 2, 3, 4, 5], [4, 1], [2, 2]):
        found = model.predict({"image": IMAGES[rows]})
        expected = usual.predict({"image": IMAGES[rows]})
        assert found["scores"].dtype == np.float32
        assert found["scores"].tolist() == expected["scores"].tolist()


def test_it_is_the_record_that_answers(tflite_files: dict[str, Path], tmp_path: Path) -> None:
    content = tflite_files["float32"].read_bytes()
    arrays = recorded(content, FEATURES, IDS)
    arrays["output/scores"] = np.roll(arrays["output/scores"], 1, axis=1)
    model = load_runtime("device:pi5", written(tmp_path / "e.npz", arrays)).load(content)
    usual = LiteRTModel(content).predict(FEATURES)["scores"]
    assert model.predict(FEATURES)["scores"].tolist() == np.roll(usual, 1, axis=1).tolist()


def test_what_it_was_never_fed_is_an_error(tflite_files: dict[str, Path], tmp_path: Path) -> None:
    content = tflite_files["int8"].read_bytes()
    path = written(tmp_path / "e.npz", recorded(content, {"image": IMAGES[:4]}, IDS[:4]))
    model = load_runtime("device:pi5", path).load(content)
    with pytest.raises(StepFailed) as caught:
        model.predict(FEATURES)
    assert kind_of(caught.value) is FailureKind.NO_EVIDENCE
    assert message_of(caught.value).startswith("device:pi5 was never fed 2 of 6 samples")
    assert "`litegate evidence request" in message_of(caught.value)
    with pytest.raises(ValueError, match="inputs: expected image"):
        model.predict({"picture": IMAGES})


def test_evidence_of_another_file_device_or_output_is_not_used(tflite_files: dict[str, Path], tmp_path: Path) -> None:
    content = tflite_files["int8"].read_bytes()
    arrays = recorded(content, FEATURES, IDS)
    path = written(tmp_path / "e.npz", arrays)
    with pytest.raises(BadInput, match="evidence of device:pi5: artifact: expected the digest of the file"):
        load_runtime("device:pi5", path).load(tflite_files["float32"].read_bytes())
    with pytest.raises(BadInput, match="evidence of device:pi4: device: expected pi4, as the spec has it, got pi5"):
        load_runtime("device:pi4", path).load(content)
    written(path, arrays | {"output/scores": arrays["output/scores"].astype(np.float32)})
    with pytest.raises(BadInput, match="output/scores: expected type int8"):
        load_runtime("device:pi5", path).load(content)


def test_nothing_can_be_run_or_timed(tflite_files: dict[str, Path], tmp_path: Path) -> None:
    content = tflite_files["int8"].read_bytes()
    runtime = load_runtime("device:pi5", written(tmp_path / "e.npz", recorded(content, FEATURES, IDS)))
    model = runtime.load(content)
    with pytest.raises(RuntimeError, match="device:pi5 is a record"):
        model.invoke(model.quantize(FEATURES))
    assert (runtime.facts(content).version, runtime.facts(content).refused) == ("LiteRT of the tests", None)


def test_a_device_is_asked_with_evidence_and_no_other_runtime_is(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="runtime device:pi5: expected evidence"):
        load_runtime("device:pi5")
    with pytest.raises(ValueError, match="runtime litert: expected evidence of a device and of nothing else"):
        load_runtime("litert", tmp_path / "e.npz")


def test_the_module_of_devices_counts_where_one_judges_and_only_there() -> None:
    assert runtime_row("device:pi5").title == "device:pi5"
    assert "litegate.runtimes.recorded" in unused_modules("litert")
    assert "litegate.runtimes.recorded" not in unused_modules("device:pi5", "litert")
    assert "litegate.runtimes.gpu" in unused_modules("device:pi5", "litert")
    assert not any(row.recorded for row in RUNTIMES.values())
