"""The step whose child ends as a test says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.components.execution.children import Make, maker


@pytest.fixture(params=["cold", "warm"])
def executor(request: pytest.FixtureRequest) -> str:
    """How the step is started: what holds for one way has to hold for the other one."""
    return str(request.param)


@pytest.fixture
def warm(executor: str, request: pytest.FixtureRequest) -> Path | None:
    """Where warm parents listen, if they are asked."""
    return request.getfixturevalue("warm_parents") if executor == "warm" else None


@pytest.fixture
def step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, executor: str, warm: Path | None) -> Make:
    return maker(tmp_path, monkeypatch, executor, warm)
