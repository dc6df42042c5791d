"""A variant's file with all that was measured of it."""

from __future__ import annotations

from litegate.records.artifacts import Artifact
from litegate.records.base import Record
from litegate.records.benchmark import Benchmark
from litegate.records.evaluation import Evaluated
from litegate.records.inspection import Inspection
from litegate.records.smoke import SmokeRun

__all__ = ["Candidate", "warnings_of"]


class Candidate(Record):
    """All that is known about a variant when the gate judges it."""

    artifact: Artifact
    evaluated: Evaluated
    benchmark: Benchmark | None = None
    inspection: Inspection | None = None
    smoke: SmokeRun | None = None


def warnings_of(inspection: Inspection | None, smoke: SmokeRun | None) -> tuple[str, ...]:
    """All that is odd about a file and did not stop it, as sentences."""
    found = inspection.findings if inspection else ()
    said = tuple(f"{finding.code}: {finding.message}" for finding in found)
    return said + (smoke.warnings if smoke else ())
