"""What of a device a file would not fit: its memories, its accelerator, its cycles.

What is not known counts as broken. A compiler estimates cycles and SRAM of what runs on the accelerator, so they say
too little of a file of which anything stays on the CPU.
"""

from __future__ import annotations

from collections.abc import Iterator

from litegate.records import Candidate, Placement, Reason
from litegate.spec import Gate

__all__ = ["DEVICE_CLAUSES", "DEVICE_LIMITS", "device_refusals"]

_OF_A_COMPILER = ("max_cpu_operators", "max_sram_bytes", "max_cycles")
DEVICE_CLAUSES = frozenset({"max_arena_bytes", "max_flash_bytes", *_OF_A_COMPILER})
"""Keys of the policy that are judged here."""
DEVICE_LIMITS = frozenset(
    {
        *("arena_too_large", "flash_too_large", "sram_too_large", "too_many_cycles", "too_many_cpu_operators"),
        *("not_accelerated", "estimate_incomplete"),
    }
)
"""Reasons by which a file that was measured breaks the policy."""


def device_refusals(policy: Gate, candidate: Candidate) -> Iterator[Reason]:
    """Why a file may not ship to the device."""
    yield from _arena(policy.max_arena_bytes, candidate)
    yield from _flash(policy.max_flash_bytes, candidate)
    placement = candidate.smoke.placement if candidate.smoke else None
    if placement is not None:
        yield from _placement(policy, placement)
    elif asked := [name for name in _OF_A_COMPILER if getattr(policy, name) is not None]:
        message = f"where its operators are placed is not known, and {', '.join(asked)} asks for it"
        yield Reason(code="placement_unknown", message=message)


def _arena(limit: int | None, candidate: Candidate) -> Iterator[Reason]:
    if limit is None:
        return
    needed = candidate.smoke.arena_bytes if candidate.smoke else None
    if needed is None:
        yield Reason(code="arena_unknown", message="the arena that it needs was not measured")
    elif needed > limit:
        yield Reason(code="arena_too_large", message=f"an arena of {needed:,} bytes, at most {limit:,} allowed")


def _flash(limit: int | None, candidate: Candidate) -> Iterator[Reason]:
    if limit is None:
        return
    if candidate.footprint is None:
        yield Reason(code="flash_unknown", message="the flash that it needs is not known")
    elif (needed := candidate.footprint.flash_bytes) > limit:
        yield Reason(code="flash_too_large", message=f"{needed:,} bytes of flash, at most {limit:,} allowed")


def _placement(policy: Gate, placement: Placement) -> Iterator[Reason]:
    left, by = placement.on_cpu, placement.compiler
    named = "; ".join(dict.fromkeys(str(each) for each in left))
    if not placement.accelerated:
        message = f"nothing of it runs on {placement.accelerator}, by {by}: {named}"
        yield Reason(code="not_accelerated", message=message)
    if policy.max_cpu_operators is not None and len(left) > policy.max_cpu_operators:
        message = f"{_staying(placement)}, at most {policy.max_cpu_operators} allowed: {named}"
        yield Reason(code="too_many_cpu_operators", message=message)
    yield from _estimate("sram_too_large", "bytes of SRAM", placement.sram_bytes, policy.max_sram_bytes, placement)
    yield from _estimate("too_many_cycles", "cycles", placement.cycles, policy.max_cycles, placement)


def _estimate(code: str, unit: str, found: int | None, limit: int | None, placement: Placement) -> Iterator[Reason]:
    if limit is None:
        return
    by, left = placement.compiler, _staying(placement)
    if found is not None and found > limit:
        yield Reason(code=code, message=f"{found:,} {unit}, as estimated by {by}, at most {limit:,} allowed")
    elif found is None or placement.on_cpu:
        message = f"its {unit} are not known: {left}, which the estimates of {by} leave out"
        yield Reason(code="estimate_incomplete", message=message)


def _staying(placement: Placement) -> str:
    count = len(placement.on_cpu)
    return f"{count} operator{'s' * (count != 1)} stay{'s' * (count == 1)} on the CPU"
