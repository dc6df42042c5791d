"""What each file takes of a device that has it in its firmware, and what stays on the CPU there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from litegate.presentation.footprints import claims
from litegate.records import Footprint, Placement
from litegate.report.run import Row, Run

__all__ = ["Footprints", "footprints"]

_MEASURED = ("Flash, bytes", "Arena, bytes", "Of it activations")
_ESTIMATED = ("Flash, bytes", "SRAM, bytes, estimated", "Cycles, estimated", "ms, estimated", "On the CPU")


@dataclass(frozen=True)
class Footprints:
    """A row for each file.

    Attributes:
        heads: of the numbers.
        rows: name of the file, the numbers, the kinds of operators that the firmware has to have.
        notes: what the numbers rest on, and why operators stay on the CPU.
    """

    heads: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...], str], ...]
    notes: tuple[str, ...]


def footprints(run: Run) -> Footprints | None:
    """None for a target that has no firmware, and where nothing is known."""
    found = [(row, row.candidate.footprint) for row in run.rows if row.candidate]
    known = [(row, footprint) for row, footprint in found if footprint is not None]
    if not known:
        return None
    placed = {row.name: placement for row, _ in known if (placement := _placement(row)) is not None}
    return Footprints(
        heads=_ESTIMATED if placed else _MEASURED,
        rows=tuple((row.name, _numbers(row, footprint), ", ".join(footprint.operators)) for row, footprint in known),
        notes=tuple(_notes(run, placed)),
    )


def _placement(row: Row) -> Placement | None:
    smoke = row.candidate.smoke if row.candidate else None
    return smoke.placement if smoke else None


def _numbers(row: Row, footprint: Footprint) -> tuple[str, ...]:
    flash, memory = f"{footprint.flash_bytes:,}", f"{footprint.ram_bytes:,}"
    placed, smoke = _placement(row), row.candidate.smoke if row.candidate else None
    if placed is None:
        return flash, memory, f"{smoke.activation_bytes or 0:,}" if smoke else ""
    cycles = "" if placed.cycles is None else f"{placed.cycles:,}"
    time = "" if placed.milliseconds is None else f"{placed.milliseconds:.3g}"
    return flash, memory, cycles, time, f"{len(placed.on_cpu):,} of {placed.operators:,}"


def _notes(run: Run, placed: dict[str, Placement]) -> Iterator[str]:
    for each in list(placed.values())[:1]:
        more = "; weights and activations in DRAM come on top" * bool(each.dram_bytes)
        yield f"Compiled for {each.accelerator}, with estimates for the system {each.system}{more}"
    yield from claims(run.result.variants)
    for name, each in placed.items():
        if each.on_cpu:
            yield f"{name}: {len(each.on_cpu)} on the CPU: {'; '.join(dict.fromkeys(map(str, each.on_cpu)))}"
