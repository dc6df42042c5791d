"""A variant's file with all that was measured of it."""

from __future__ import annotations

from litegate.records.artifacts import Artifact
from litegate.records.base import FileRef, Record
from litegate.records.benchmark import Benchmark
from litegate.records.evaluation import Evaluated
from litegate.records.footprint import Footprint
from litegate.records.inspection import Inspection
from litegate.records.placement import ACCELERATED, Placement
from litegate.records.smoke import SmokeRun

__all__ = ["Candidate", "warnings_of"]


class Candidate(Record):
    """All that is known about a variant when the gate judges it."""

    artifact: Artifact
    evaluated: Evaluated
    benchmark: Benchmark | None = None
    inspection: Inspection | None = None
    smoke: SmokeRun | None = None

    @property
    def shipped(self) -> FileRef:
        """The file that the device gets: what the target's compiler made of it, where it has one."""
        placed = self.smoke.placement if self.smoke else None
        return placed.compiled if placed else self.artifact.file

    @property
    def footprint(self) -> Footprint | None:
        """What it takes on the device; None where that is not known, or it is no device with firmware."""
        smoke = self.smoke
        if smoke is None or self.inspection is None:
            return None
        if smoke.placement is not None:
            return _of_compiled(smoke.placement)
        if smoke.arena_bytes is None:
            return None
        kinds = tuple(sorted({use.name for use in self.inspection.operators}))
        return Footprint(flash_bytes=self.artifact.file.bytes, ram_bytes=smoke.arena_bytes, operators=kinds)


def _of_compiled(placement: Placement) -> Footprint:
    calls = (ACCELERATED,) if placement.accelerated else ()
    return Footprint(
        flash_bytes=placement.compiled.bytes,
        ram_bytes=placement.sram_bytes,
        operators=(*calls, *sorted({each.operator for each in placement.on_cpu})),
        cpu_operators=len(placement.on_cpu),
        cycles=placement.cycles,
        estimated_by=placement.compiler,
    )


def warnings_of(inspection: Inspection | None, smoke: SmokeRun | None) -> tuple[str, ...]:
    """All that is odd about a file and did not stop it, as sentences."""
    found = inspection.findings if inspection else ()
    said = tuple(f"{finding.code}: {finding.message}" for finding in found)
    placed = smoke.placement.warnings if smoke and smoke.placement else ()
    return said + (smoke.warnings if smoke else ()) + placed
