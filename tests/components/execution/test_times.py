"""Times of steps: the last one of each, for what it was run for; whatever is wrong with one, none is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from litegate.execution.times import Time, keep_time, label_of, stored_time
from litegate.storage.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(str(tmp_path / "workspace"), tmp_path / "cache")


def test_the_last_time_is_kept_for_each_model_and_variant(workspace: Workspace) -> None:
    keep_time(workspace, "quantize", label_of("kws", "int8"), Time(3.0))
    keep_time(workspace, "quantize", label_of("kws", "int8"), Time(2.5))
    keep_time(workspace, "evaluate", label_of("kws"), Time(9.0, 3))
    assert stored_time(workspace, "quantize", "kws/int8") == Time(2.5)
    assert stored_time(workspace, "evaluate", "kws/all") == Time(9.0, 3)
    assert stored_time(workspace, "quantize", "kws/uint8") is None
    assert stored_time(workspace, "quantize", "other/int8") is None


@pytest.mark.parametrize("kept", [[], 3, {"seconds": -1, "files": 1}, {"seconds": "x", "files": 1}, {"seconds": 1}])
def test_what_is_no_time_is_none(workspace: Workspace, kept: Any) -> None:
    workspace.set_mark("times/kws/all/convert", kept)
    assert stored_time(workspace, "convert", "kws/all") is None


def test_a_workspace_that_takes_none_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "workspace").mkdir()
    (tmp_path / "workspace" / "marks").write_text("a file where a folder should be")
    keep_time(Workspace(str(tmp_path / "workspace"), tmp_path / "cache"), "convert", "kws/all", Time(1.0))
