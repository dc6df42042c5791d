"""Several files in one pass: each comes to what it would alone, and one that fails takes no other along."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from litegate import runtimes
from litegate.digest import digest_bytes
from litegate.failures import FailureKind
from litegate.outcomes.columns import Outcomes
from litegate.records import (
    Artifact,
    DataRef,
    EvaluateFilesRequest,
    EvaluateRequest,
    FileEvaluation,
    FileFailure,
    FileRef,
    Reference,
    Stopping,
)
from litegate.runtimes import RuntimeRow
from litegate.spec import Gate
from litegate.steps import evaluate
from litegate.work.step_work import SECONDS, Work
from tests.components.evaluation import faulty

SAMPLES = 700
FINE = "nothing -1 0"
WORSE = "nothing -1 1"
"""Another class for every sample."""


class Passes:
    """Requests for files of the runtime `faulty`, run in this process and those that it forks."""

    def __init__(self, folder: Path, data: DataRef) -> None:
        self.data, self.work = data, Work(folder, folder / "cache")

    def artifact(self, content: str, variant: str = "int8") -> Artifact:
        file = FileRef(name="f", digest=digest_bytes(content.encode()), bytes=len(content))
        self.work.path(file).parent.mkdir(parents=True, exist_ok=True)
        self.work.path(file).write_bytes(content.encode())
        return Artifact(variant=variant, file=file, signatures={})

    def request(self, content: str, beside: tuple[str, ...] = (), **keys: Any) -> EvaluateRequest:
        roles = ("baseline", "champion")
        references = [
            Reference(role=role, artifact=self.artifact(other)) for role, other in zip(roles, beside, strict=False)
        ]
        return EvaluateRequest(
            artifact=self.artifact(content),
            runtime="faulty",
            data=self.data,
            metric="top1",
            seed=3,
            references=tuple(references),
            **{"max_samples": None} | keys,
        )

    def run(self, *requests: EvaluateRequest) -> list[Any]:
        return list(evaluate.run(EvaluateFilesRequest(files=requests), self.work).files)

    def outcomes(self, file: FileRef) -> Outcomes:
        return Outcomes.read(self.work.outputs / file.digest)


@pytest.fixture
def passes(tmp_path: Path, pinned_here: Callable[[Path], DataRef], monkeypatch: pytest.MonkeyPatch) -> Passes:
    rows = dict(runtimes.RUNTIMES) | {"faulty": RuntimeRow("faulty", faulty.__name__, "Faulty")}
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


def same(one: FileEvaluation, other: FileEvaluation) -> bool:
    """Whether two evaluations say the same, but for how long they took."""
    return one.model_copy(update={"seconds": 0.0}) == other.model_copy(update={"seconds": 0.0})


def test_every_file_comes_to_what_it_comes_to_alone(passes: Passes) -> None:
    asked = [passes.request(FINE), passes.request(WORSE, max_samples=100), passes.request("nothing -1 2")]
    together = passes.run(*asked)
    for request, found in zip(asked, together, strict=True):
        (alone,) = passes.run(request)
        assert same(found, alone)
    assert [found.samples for found in together] == [SAMPLES, 100, SAMPLES]
    first = passes.outcomes(together[0].outcomes)
    assert first.index.tolist() == list(range(SAMPLES))
    assert first.score.mean() == pytest.approx(0.9)


@pytest.mark.parametrize("first_samples", [None, 100])
def test_what_ends_early_ends_where_it_would_alone(passes: Passes, first_samples: int | None) -> None:
    def stopping(max_drop: float) -> Stopping:
        return Stopping(policy=Gate(max_drop=max_drop), variants=3, first_samples=first_samples)

    asked = [
        passes.request(FINE, max_samples=300),
        passes.request(WORSE, (FINE,), stopping=stopping(0.3)),
        passes.request("nothing -1 2", (FINE, WORSE), stopping=stopping(0.3), max_samples=400),
        passes.request("nothing -2 0", (FINE,), stopping=stopping(0.001)),
    ]
    together = passes.run(*asked)
    for request, found in zip(asked, together, strict=True):
        (alone,) = passes.run(request)
        assert same(found, alone)
    samples = [found.samples for found in together]
    assert samples[0] == 300
    assert samples[1] < samples[3] == SAMPLES, "one is decided early, another never"


FAULTS = [
    ("SIGSEGV", FailureKind.SEGFAULT, "its process died: SIGSEGV"),
    ("SIGABRT", FailureKind.ABORT, "its process died: SIGABRT"),
    ("SIGKILL", FailureKind.KILLED, "its process died: SIGKILL"),
    ("gives_nan", FailureKind.NOT_FINITE, "it gave NaN or infinity on real samples: its output y for sample 320"),
    ("raises", FailureKind.PYTHON_ERROR, "RuntimeError: it cannot be run"),
    ("is_short_of_memory", FailureKind.OUT_OF_MEMORY, "MemoryError"),
    ("hangs", FailureKind.TIMEOUT, "no answer for 32 samples after 5 s"),
    ("aborts_when_loaded", FailureKind.ABORT, "a process that loaded it died: SIGABRT"),
]


@pytest.mark.parametrize(("does", "kind", "message"), FAULTS, ids=[fault[0] for fault in FAULTS])
def test_a_file_that_fails_takes_no_other_along(
    passes: Passes, monkeypatch: pytest.MonkeyPatch, does: str, kind: FailureKind, message: str
) -> None:
    if does == "hangs":
        monkeypatch.setenv(SECONDS, "30")
    fine, failed, other = passes.run(passes.request(FINE), passes.request(f"{does} 333 0"), passes.request(WORSE))
    assert isinstance(failed, FileFailure)
    assert (failed.kind, message in failed.message) == (kind, True), failed
    monkeypatch.delenv(SECONDS, raising=False)
    for request, found in ((passes.request(FINE), fine), (passes.request(WORSE), other)):
        (alone,) = passes.run(request)
        assert same(found, alone)


def test_a_reference_that_fails_fails_those_that_need_it(passes: Passes) -> None:
    stopping = Stopping(policy=Gate(max_drop=0.001), variants=1, first_samples=None)
    needs, other = passes.run(
        passes.request(FINE, ("SIGSEGV 333 0",), stopping=stopping), passes.request(FINE, (WORSE,), stopping=stopping)
    )
    assert isinstance(needs, FileFailure)
    assert needs.message.startswith("baseline: its process died: SIGSEGV")
    assert isinstance(other, FileEvaluation)
