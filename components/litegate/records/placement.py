"""Where a target's compiler places the operators of a file, and what it estimates of the result."""

from __future__ import annotations

from litegate.records.base import FileRef, Record
from litegate.records.fields import Count

__all__ = ["ACCELERATED", "CpuOperator", "Placement"]

ACCELERATED = "ETHOS_U"
"""The operator that stands, in a compiled file, for all that runs on the accelerator."""


class CpuOperator(Record):
    """An operator that the compiler leaves on the CPU.

    Attributes:
        operator: its kind.
        output: the tensor that it computes.
        reason: the compiler's own; empty where it gives none.
    """

    operator: str
    output: str
    reason: str = ""

    def __str__(self) -> str:
        """For people."""
        return f"{self.operator} ({self.reason})" if self.reason else self.operator


class Placement(Record):
    """What a compiler makes of a file for an accelerator; nothing of it was run.

    Attributes:
        accelerator: the configuration that it is for.
        compiler: with its version.
        system: clock, memories and bandwidths that the estimates rest on, by the compiler's own names.
        operators: how many the file has.
        accelerated: how many calls of the accelerator the compiled file has.
        on_cpu: those that stay on the CPU.
        sram_bytes, dram_bytes, flash_bytes: of each memory, for what runs on the accelerator, as estimated.
        cycles: of an inference, and `milliseconds` at the clock of `system`, of what runs on the accelerator, as
            estimated; None where that is nothing.
        compiled: the file that the device gets.
    """

    accelerator: str
    compiler: str
    system: str
    operators: Count
    accelerated: Count
    on_cpu: tuple[CpuOperator, ...]
    sram_bytes: Count
    dram_bytes: Count = 0
    flash_bytes: Count = 0
    cycles: Count | None
    milliseconds: float | None
    compiled: FileRef

    @property
    def warnings(self) -> tuple[str, ...]:
        """What it leaves on the CPU, as a sentence."""
        if not self.on_cpu:
            return ()
        named = "; ".join(dict.fromkeys(str(each) for each in self.on_cpu))
        left = f"left on the CPU: {len(self.on_cpu)} of {self.operators} operators, by {self.compiler}"
        return (f"{left} for {self.accelerator}: {named}",)
