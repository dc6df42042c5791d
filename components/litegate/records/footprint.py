"""What a file takes on a device that has it in its firmware."""

from __future__ import annotations

from litegate.records.base import Record
from litegate.records.fields import Count

__all__ = ["Footprint"]


class Footprint(Record):
    """Memory and operators there.

    Attributes:
        flash_bytes: of the file that is linked into the firmware.
        ram_bytes: of the arena, or of SRAM where a compiler estimates that.
        operators: kinds of those that the firmware has to have.
        cpu_operators: how many a compiler leaves on the CPU; None where there is no accelerator.
        cycles: of an inference, as a compiler estimates them; None where it does not.
        estimated_by: the compiler that `ram_bytes` and `cycles` are estimates of; empty where the arena was measured.
    """

    flash_bytes: Count
    ram_bytes: Count
    operators: tuple[str, ...]
    cpu_operators: Count | None = None
    cycles: Count | None = None
    estimated_by: str = ""

    def __str__(self) -> str:
        """For people, as a sentence."""
        memory = f"{self.ram_bytes:,} bytes of {'SRAM' if self.estimated_by else 'arena'}"
        cycles = "" if self.cycles is None else f" and {self.cycles:,} cycles"
        estimated = f"{cycles}, as estimated by {self.estimated_by}" if self.estimated_by else ""
        return f"{self.flash_bytes:,} bytes of flash, {memory}{estimated}; operators: {', '.join(self.operators)}"
