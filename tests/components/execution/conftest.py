"""The step whose child ends as a test says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.components.execution.children import Make, maker


@pytest.fixture
def step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    return maker(tmp_path, monkeypatch)
