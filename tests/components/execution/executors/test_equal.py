"""A step computes the same bytes, warm and cold."""

from __future__ import annotations

from pathlib import Path

import pytest

from litegate.settings import Settings, settings
from tests.single_steps import Steps

pytestmark = pytest.mark.e2e


def computed(models: Path, home: Path, executor: str, warm: Path | None) -> list[str]:
    pythons = settings().pythons
    places = Settings(str(home / "ws"), home / "cache", home / "scratch", pythons, executor=executor, warm=warm)
    steps = Steps(
        models,
        places,
        model={"name": "test", "uri": str(models / "keras3.keras")},
        calibration={"uri": str(models / "calibration.npz"), "format": "npz", "samples": 50},
        evaluation={"uri": str(models / "test.npz"), "format": "npz"},
        variants=["int8"],
    )
    artifact = steps.quantize("int8")
    found = (steps.convert().artifact.file, steps.sample().file, artifact.file, steps.evaluate(artifact).outcomes)
    return [file.digest for file in found]


def test_the_bytes_are_the_same(models: Path, tmp_path: Path, warm_parents: Path) -> None:
    cold = computed(models, tmp_path / "cold", "cold", None)
    assert computed(models, tmp_path / "warm", "warm", warm_parents) == cold
