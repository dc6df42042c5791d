"""A spec with a device, its files and samples, and what an honest device gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from litegate.pipeline.on_device import DeviceRun
from litegate.records import ResolveRequest
from litegate.settings import Settings
from litegate.spec import Spec, parse_spec
from litegate.storage.workspace import Workspace
from tests.components.runtimes.recording import recorded

Array = np.ndarray[Any, np.dtype[Any]]


@pytest.fixture
def spec_with(models: Path, tmp_path: Path) -> Callable[..., Spec]:
    """The spec of the model of quarters, with its device and with other keys."""

    def made(evidence: str = str(tmp_path / "kept"), evaluation: dict[str, Any] | None = None, **keys: Any) -> Spec:
        given = {
            "model": {"name": "test", "uri": str(models / "keras3.keras")},
            "calibration": {"uri": str(models / "calibration.npz"), "format": "npz", "samples": 100},
            "evaluation": {"uri": str(models / "test.npz"), "format": "npz"},
            "variants": ["int8", "dynamic_range"],
            "gate": {"max_drop": 0.05},
        }
        device = {"device": {"name": "pi5", "evidence": evidence}}
        return parse_spec(given | keys | {"evaluation": given["evaluation"] | device | (evaluation or {})})

    return made


@pytest.fixture
def run_of(models: Path, places: Settings) -> Callable[..., DeviceRun]:
    def made(spec: Spec, *variants: str) -> DeviceRun:
        return DeviceRun(ResolveRequest(spec=spec, folder=str(models)), places, variants)

    return made


@pytest.fixture
def given_out(places: Settings, run_of: Callable[..., DeviceRun]) -> Callable[..., dict[str, Array]]:
    """What an honest device gives of a variant, which is LiteRT here, on what is given out."""

    def made(spec: Spec, variant: str) -> dict[str, Array]:
        run, workspace = run_of(spec, variant), Workspace(places.workspace, places.cache)
        content = workspace.fetch(run.run().artifact(variant).file).read_bytes()
        with np.load(workspace.fetch(run.samples.file)) as arrays:
            features = {name.removeprefix("input/"): arrays[name] for name in arrays if name.startswith("input/")}
            found = recorded(content, features, arrays["id"])
            assert found["fed"].tolist() == arrays["fed"].tolist()
        return found

    return made
