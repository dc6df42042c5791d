"""Real models and a way to run steps on them as the pipeline does: in child processes, from a workspace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from litegate.settings import Settings
from tests.single_steps import Steps


@pytest.fixture
def pipeline(models: Path, places: Settings) -> Callable[..., Steps]:
    """Makes a `Steps` for a model of `models`, with the quarters data unless told otherwise."""

    def make(model: str, calibration: Any = "calibration.npz", evaluation: Any = "test.npz", **keys: Any) -> Steps:
        def data(name: str | dict[str, Any]) -> dict[str, Any]:
            if isinstance(name, dict):
                return name
            form = "npz" if name.endswith(".npz") else "images"
            return {"uri": str(models / name), "format": form}

        given = {
            "model": {"name": "test", "uri": str(models / model)},
            "calibration": data(calibration) | {"samples": 100},
            "evaluation": data(evaluation),
        }
        return Steps(models, places, **(given | keys))

    return make
