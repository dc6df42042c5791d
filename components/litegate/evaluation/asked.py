"""What the evaluation of a file runs: the file and its references, by what counts and by the host beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from litegate.evaluation.lockstep import Run
from litegate.records import Artifact, EvaluateRequest, FileRef, TimedOnDevice
from litegate.runtimes import runtime_row
from litegate.runtimes.device_evidence import read_evidence
from litegate.variants import CHAMPION
from litegate.work.step_work import Work

__all__ = ["Asked", "controls_of", "runs_of", "timed_on_device"]


class Asked(NamedTuple):
    """A run of a file.

    Attributes:
        role: whose it is, for messages; empty for the file itself.
        of: the reference's role alone; empty for the file itself.
        evidence: what a device gave of it; None where that is none, or gave nothing.
    """

    role: str
    artifact: Artifact
    runtime: str
    evidence: FileRef | None = None
    of: str = ""

    def run(self, work: Work) -> Run:
        """The same by where its bytes lie."""
        evidence = None if self.evidence is None else work.path(self.evidence)
        return Run(work.path(self.artifact.file), self.runtime, evidence)


def runs_of(file: EvaluateRequest) -> Iterator[Asked]:
    """Every run that a file's evaluation cannot do without."""
    yield Asked("", file.artifact, file.runtime, file.evidence)
    for each in file.references:
        yield Asked(each.role, each.artifact, each.runtime or file.runtime, each.evidence)
    if file.host is not None:
        by = f" on {runtime_row(file.host).title}"
        yield Asked(f"it{by}", file.artifact, file.host)
        yield from (Asked(f"{each.role}{by}", each.artifact, file.host) for each in file.references)


def controls_of(file: EvaluateRequest) -> Iterator[Asked]:
    """What is to be the control variate in place of the host: the file, and a champion, for float32 has no integers."""
    if file.control is None:
        return
    by = f" on {runtime_row(file.control).title}"
    yield Asked(f"it{by}", file.artifact, file.control)
    champions = (each for each in file.references if each.role == CHAMPION)
    yield from (Asked(f"{each.role}{by}", each.artifact, file.control, of=each.role) for each in champions)


def timed_on_device(file: EvaluateRequest, work: Work) -> TimedOnDevice | None:
    """How fast the device was that ran a file; None where none did."""
    if file.evidence is None:
        return None
    evidence = read_evidence(work.path(file.evidence), f"evidence of {file.runtime}")
    median, late = evidence.milliseconds
    return TimedOnDevice(
        name=file.runtime,
        runtime=evidence.runtime,
        latency_ms=median,
        latency_p95_ms=late,
        samples=len(evidence.seconds),
    )
