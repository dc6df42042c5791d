"""What results for a device with firmware rest on, in words."""

from __future__ import annotations

from collections.abc import Sequence

from litegate.records import VariantRow

__all__ = ["claims"]


def claims(rows: Sequence[VariantRow]) -> list[str]:
    """What was not tried; nothing for a target without a compiler of its own."""
    compilers = {row.footprint.estimated_by for row in rows if row.footprint and row.footprint.estimated_by}
    return [
        f"SRAM and cycles are estimates of {by}; accuracy is that of TensorFlow Lite Micro's kernels, whose arithmetic "
        "an Ethos-U follows by Arm's claim: no such device was tried"
        for by in sorted(compilers)
    ]
