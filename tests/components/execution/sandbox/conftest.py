"""A real step that runs code of the test's own: `sample` with a `preprocess`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from litegate.digest import digest_bytes, digest_file
from litegate.execution.step_run import StepRun
from litegate.inspection.tflite import describe
from litegate.records import Artifact, DataRef, FileRef, SampleRequest, UserCode
from litegate.settings import Settings, settings
from litegate.steps import STEPS
from litegate.storage.user_objects import list_entries
from litegate.storage.workspace import Workspace
from litegate.user_code.source import source_digest


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, executor: str, warm: Path | None) -> Settings:
    """A home with a secret in it, beside which the user's files lie."""
    home = tmp_path / "home"
    (home / "secrets").mkdir(parents=True)
    (home / "secrets" / "jwt").write_text("the secret")
    monkeypatch.setenv("LITEGATE_HOME", str(home))
    pythons = settings().pythons
    return Settings(str(home / "workspace"), home / "cache", home / "scratch", pythons, executor=executor, warm=warm)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A dataset that fits the toy model, in a folder of its own."""
    path = tmp_path / "data" / "train.npz"
    path.parent.mkdir()
    images = np.random.default_rng(5).normal(size=(40, 8, 8, 1)).astype(np.float32)
    np.savez(path, image=images, label=np.arange(40) % 4)
    return path


@pytest.fixture
def pinned(places: Settings) -> Callable[[str], DataRef]:
    """A dataset as `resolve` pins it."""

    def pin(uri: str) -> DataRef:
        entries = list_entries(uri, "calibration.uri")
        manifest = "\n".join(entry.model_dump_json() for entry in entries).encode()
        path = places.cache.parent / "manifest"
        path.write_bytes(manifest)
        ref = Workspace(places.workspace, places.cache).keep_file(path, "manifest.jsonl")
        return DataRef(uri=uri, format="npz", digest=digest_bytes(manifest), manifest=ref)

    return pin


@pytest.fixture
def sampling(
    tmp_path: Path, places: Settings, tflite_files: dict[str, Path], pinned: Callable[[str], DataRef], data: Path
) -> Callable[..., Any]:
    """Makes the step `sample`, whose `preprocess` runs the given statements before it gives the sample back."""

    def make(body: str = "pass", uri: str = "", code: bool = True) -> StepRun:
        lines = body.replace("\n", "\n    ")
        (tmp_path / "theirs.py").write_text(
            f"import os, signal, socket, subprocess, sys, time\n"
            f"from pathlib import Path\nimport numpy as np\n"
            f"def preprocess(features, label):\n    {lines}\n    return features, label\n"
        )
        model = tflite_files["float32"]
        Workspace(places.workspace, places.cache).keep_file(model, "float32.tflite")
        file = FileRef(name="float32.tflite", digest=digest_file(model), bytes=model.stat().st_size)
        theirs = "theirs:preprocess"
        request = SampleRequest(
            data=pinned(uri or str(data)),
            artifact=Artifact(variant="float32", file=file, signatures=describe(model.read_bytes())),
            samples=10,
            seed=1,
            preprocess=UserCode(reference=theirs, folder=str(tmp_path), digest=source_digest(theirs, str(tmp_path)))
            if code
            else None,
        )
        return StepRun(STEPS["sample"], request, places)

    return make
