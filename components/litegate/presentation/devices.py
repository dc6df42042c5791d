"""What a verdict rests on where a real device judged, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from litegate.presentation import wording
from litegate.records import Candidate, TimedOnDevice, VariantRow

__all__ = ["judged_on", "not_on_device", "timed"]


def judged_on(rows: Sequence[VariantRow]) -> list[str]:
    """What judged files in place of this host, a line for each device and what ran there.

    Returns:
        For example: `judged on device:pi5 (ai-edge-litert 2.3.0), median time for a sample: int8 0.31 ms`.
    """
    found: dict[str, list[str]] = {}
    for row in rows:
        if row.on_device is not None:
            times = found.setdefault(f"{row.on_device.name} ({row.on_device.runtime})", [])
            times.append(f"{row.variant} {wording.milliseconds(row.on_device.latency_ms)} ms")
    return [f"judged on {name}, median time for a sample: {', '.join(times)}" for name, times in found.items()]


def not_on_device(baseline: Candidate, candidates: Sequence[Candidate]) -> str:
    """That float32 was run by the host alone, while a device ran variants; empty where it was not so.

    Returns:
        For example: `float32, which the drop is taken from, was run by LiteRT on this host: there is no evidence of it
        from device:pi5`.
    """
    devices = sorted({each.evaluated.on_device.name for each in candidates if each.evaluated.on_device is not None})
    host = baseline.evaluated.host
    if not devices or host is None or baseline.evaluated.on_device is not None:
        return ""
    by = f"float32, which the drop is taken from, was run by {host.title} on this host"
    return f"{by}: there is no evidence of it from {', '.join(devices)}"


def timed(found: TimedOnDevice) -> str:
    """`device:pi5 (ai-edge-litert 2.3.0): median 0.31 ms, 95 % within 0.4 ms, 697 samples`."""
    median, late = (wording.milliseconds(each) for each in (found.latency_ms, found.latency_p95_ms))
    return f"{found.name} ({found.runtime}): median {median} ms, 95 % within {late} ms, {found.samples:,} samples"
