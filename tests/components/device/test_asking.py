"""The folder for a device has the very bytes that are judged, and the very samples."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from litegate.device import run_on_device
from litegate.device.asking import give_out
from litegate.digest import digest_file
from litegate.errors import BadInput

pytestmark = pytest.mark.e2e

Make = Callable[..., Any]


def test_the_folder_has_the_files_the_samples_and_the_script(
    spec_with: Make, run_of: Make, models: Path, tmp_path: Path
) -> None:
    run = run_of(spec_with(), "int8", "float32")
    given = give_out(run, tmp_path / "for" / "pi5")
    folder = tmp_path / "for" / "pi5"
    names = {"int8.tflite", "float32.tflite", "samples.npz", "run_on_device.py"}
    assert {path.name for path in folder.iterdir()} == names
    for variant, (path, digest) in given.files.items():
        assert digest_file(path) == digest == run.results.artifact(variant).file.digest
    assert given.script.read_bytes() == Path(run_on_device.__file__).read_bytes()
    with np.load(given.samples) as arrays, np.load(models / "test.npz") as test:
        assert arrays["id"].tolist() == [str(number).encode() for number in range(600)]
        assert arrays["input/image"].tolist() == test["image"].tolist()
        assert str(arrays["signature"]) == "serving_default"
    assert (given.count, given.device) == (600, "pi5")


def test_a_file_is_no_folder(spec_with: Make, run_of: Make, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(BadInput, match="DIR: expected a folder, got the file"):
        give_out(run_of(spec_with(), "int8"), tmp_path / "file")
