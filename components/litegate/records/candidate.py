"""A file with all that was measured of it."""

from __future__ import annotations

from litegate.records.artifacts import Artifact, Benchmark
from litegate.records.base import Record
from litegate.records.evaluation import Evaluated
from litegate.records.inspection import Inspection, SmokeRun

__all__ = ["Candidate"]


class Candidate(Record):
    """All that is known about a variant when the gate judges it."""

    artifact: Artifact
    evaluated: Evaluated
    benchmark: Benchmark | None = None
    inspection: Inspection | None = None
    smoke: SmokeRun | None = None
