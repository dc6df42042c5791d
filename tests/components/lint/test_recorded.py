"""What was recorded of a model is read as data of anybody's: whole, finite, of the right names, never unpickled."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from litegate.errors import DataError
from litegate.lint.recorded import read_recorded
from litegate.records import Signature, TensorSpec

SIGNATURE = Signature(
    inputs={"x": TensorSpec(shape=(-1, 3), dtype="float32")},
    outputs={name: TensorSpec(shape=(-1, 2), dtype="float32") for name in ("y", "z")},
)
X, Y = np.ones((4, 3), np.float32), np.zeros((4, 2), np.float32)


def test_inputs_and_those_outputs_that_are_there(tmp_path: Path) -> None:
    np.savez(tmp_path / "r.npz", x=X, y=Y, more=Y)
    inputs, outputs = read_recorded(tmp_path / "r.npz", SIGNATURE)
    assert (list(inputs), list(outputs)) == (["x"], ["y"])
    assert np.array_equal(inputs["x"], X)
    assert np.array_equal(outputs["y"], Y)


@pytest.mark.parametrize(
    ("arrays", "expected", "got"),
    [
        ({"x": X}, "for outputs \\(y, z\\)", "arrays named x"),
        ({"y": Y}, "for each input \\(x\\)", "arrays named y"),
        ({"x": X, "y": Y[:3]}, "as many samples in each array", "\\[3, 4\\]"),
        ({"x": X[:0], "y": Y[:0]}, "at least one", "\\[0\\]"),
        ({"x": X, "y": np.float32(1)}, "as many samples", "\\[0, 4\\]"),
        ({"x": X, "y": np.where(np.arange(8).reshape(4, 2) == 5, np.nan, Y)}, "finite numbers", "y, sample 2"),
        ({"x": X, "y": np.array([None, {}], object)}, "an npz of plain arrays", "ValueError"),
    ],
    ids=["no-output", "no-input", "lengths", "empty", "scalar", "nan", "objects"],
)
def test_what_is_wrong_with_it(tmp_path: Path, arrays: dict[str, Any], expected: str, got: str) -> None:
    np.savez(tmp_path / "r.npz", **arrays)
    with pytest.raises(DataError, match=f"model.recorded_outputs: expected .*{expected}.*{got}"):
        read_recorded(tmp_path / "r.npz", SIGNATURE)


def test_a_file_that_is_no_npz(tmp_path: Path) -> None:
    (tmp_path / "r.npz").write_bytes(b"nothing")
    with pytest.raises(DataError, match="an npz of plain arrays"):
        read_recorded(tmp_path / "r.npz", SIGNATURE)


def test_an_archive_of_something_else(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "r.npz", "w") as archive:
        archive.writestr("x", b"text")
    with pytest.raises(DataError, match="an npz of plain arrays, got x, which is none"):
        read_recorded(tmp_path / "r.npz", SIGNATURE)
