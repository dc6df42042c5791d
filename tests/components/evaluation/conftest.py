"""Data and files for passes over them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest

from litegate import runtimes
from litegate.records import DataRef
from litegate.runtimes import RuntimeRow
from litegate.work.step_work import Work
from tests.components.evaluation import elsewhere, faulty, nearer
from tests.components.evaluation.passes import SAMPLES, Passes


@pytest.fixture
def passes(tmp_path: Path, pinned_here: Callable[[Path], DataRef], monkeypatch: pytest.MonkeyPatch) -> Passes:
    modules = {"faulty": faulty, "elsewhere": elsewhere, "nearer": nearer}
    others = [RuntimeRow(name, module.__name__, name.capitalize()) for name, module in modules.items()]
    rows = dict(runtimes.RUNTIMES) | {row.name: row for row in others}
    monkeypatch.setattr(runtimes, "RUNTIMES", MappingProxyType(rows))
    values = np.stack([np.arange(SAMPLES), np.zeros(SAMPLES)], axis=1).astype(np.float32)
    labels = np.arange(SAMPLES) % faulty.CLASSES
    labels[::10] = (labels[::10] + 1) % faulty.CLASSES
    np.savez(tmp_path / "data.npz", x=values, label=labels)
    return Passes(tmp_path, pinned_here(tmp_path / "data.npz"))


@pytest.fixture
def pinned_here(tmp_path: Path) -> Callable[[Path], DataRef]:
    from litegate.datasets.snapshots import snapshot_data
    from litegate.spec import parse_spec

    def pin(path: Path) -> DataRef:
        keys = {"uri": str(path), "format": "npz"}
        spec = parse_spec({"model": {"name": "m", "uri": "m"}, "calibration": keys, "evaluation": keys})
        work = Work(tmp_path, tmp_path / "cache")
        ref = snapshot_data(spec.evaluation, "evaluation.uri", work)
        work.path(ref.manifest).parent.mkdir(parents=True, exist_ok=True)
        (work.outputs / ref.manifest.digest).rename(work.path(ref.manifest))
        return ref

    return pin
