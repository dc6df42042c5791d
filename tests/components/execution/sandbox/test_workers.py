"""Deaths in the processes that evaluate: they are told apart as well, and share the step's limits."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from litegate.digest import digest_file
from litegate.errors import StepFailed
from litegate.execution.step_run import StepRun
from litegate.inspection.tflite import describe
from litegate.records import Artifact, DataRef, EvaluateFilesRequest, EvaluateRequest, FileRef, UserCode
from litegate.settings import Settings
from litegate.steps import STEPS
from litegate.storage.workspace import Workspace
from litegate.user_code.source import source_digest

CODE = """
import multiprocessing, os, signal
def in_worker(): return multiprocessing.parent_process() is not None
def crash(features, label): os.kill(os.getpid(), signal.SIGSEGV if in_worker() else signal.SIGKILL)
def no_memory(features, label):
    os.write(2, b"what():  std::bad_alloc\\n")
    os.abort()
def allocate(features, label): return bytearray(1 << 45)
def fine(features, label): return features, label
"""


@pytest.fixture
def evaluating(
    tmp_path: Path, places: Settings, tflite_files: dict[str, Path], pinned: Callable[[str], DataRef]
) -> Callable[[str], StepRun]:
    """Makes the step `evaluate` on enough samples for several processes."""
    (tmp_path / "deaths.py").write_text(CODE)
    images = np.random.default_rng(5).normal(size=(600, 8, 8, 1)).astype(np.float32)
    np.savez(tmp_path / "test.npz", image=images, label=np.arange(600) % 4)
    model = tflite_files["int8"]
    Workspace(places.workspace, places.cache).keep_file(model, "int8.tflite")
    file = FileRef(name="int8.tflite", digest=digest_file(model), bytes=model.stat().st_size)
    artifact = Artifact(variant="int8", file=file, signatures=describe(model.read_bytes()))
    data = pinned(str(tmp_path / "test.npz"))

    def make(function: str) -> StepRun:
        theirs, folder = f"deaths:{function}", str(tmp_path)
        code = UserCode(reference=theirs, folder=folder, digest=source_digest(theirs, folder))
        request = EvaluateRequest(
            artifact=artifact, data=data, metric="top1", max_samples=None, seed=1, preprocess=code
        )
        return StepRun(STEPS["evaluate"], EvaluateFilesRequest(files=(request,)), places)

    return make


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one core has one process")
@pytest.mark.parametrize(
    ("function", "kind", "detail"),
    [
        ("crash", "segfault", "a process that read the data died: SIGSEGV"),
        ("no_memory", "out_of_memory", "std::bad_alloc"),
        ("allocate", "out_of_memory", "MemoryError"),
    ],
)
def test_a_death_of_a_worker_is_reported_as_what_it_was(
    evaluating: Callable[[str], StepRun], function: str, kind: str, detail: str
) -> None:
    with pytest.raises(StepFailed) as caught:
        evaluating(function).run()
    assert caught.value.kind == kind
    assert detail in caught.value.detail


def test_workers_run_confined_and_leave_nothing_in_shared_memory(evaluating: Callable[[str], StepRun]) -> None:
    before = set(os.listdir("/dev/shm"))  # noqa: PTH208
    (found,) = evaluating("fine").run().files
    assert found.samples == 600
    assert set(os.listdir("/dev/shm")) <= before  # noqa: PTH208
