"""Latencies as people read them: never without the host that they were measured on."""

from __future__ import annotations

from collections.abc import Sequence

from litegate.presentation import wording
from litegate.records import FileBenchmark, LatencyRatio, VariantRow
from litegate.variants import BASELINE

__all__ = ["benchmark_conditions", "latencies", "latency_share", "share_bounds"]

_MINUTES = len("2026-01-31T12:34")


def latencies(rows: Sequence[VariantRow]) -> list[str]:
    """The shares of float32's latency with their intervals, and where they were measured; empty if there are none."""
    found = [(row.variant, row.benchmark) for row in rows if row.benchmark and row.variant != BASELINE]
    shares = [f"{name} {share_bounds(benchmark.ratio)}" for name, benchmark in found if benchmark.ratio is not None]
    if not shares:
        return []
    return [f"latency as a share of float32's, {benchmark_conditions(found[0][1])}: {', '.join(shares)}"]


def latency_share(ratio: LatencyRatio) -> str:
    """`0.336 of float32's, between 0.331 and 0.342 with 95 % confidence`."""
    low, high = (f"{end:.3g}" for end in (ratio.low, ratio.high))
    between = f"between {low} and {high} with {wording.confidence(ratio.confidence)} confidence"
    return f"{ratio.estimate:.3g} of float32's, {between}"


def share_bounds(ratio: LatencyRatio) -> str:
    """`33.6 % (33.1 to 34.2)`."""
    return f"{_percent(ratio.estimate)} % ({_percent(ratio.low)} to {_percent(ratio.high)})"


def benchmark_conditions(found: FileBenchmark) -> str:
    """Where and when it was measured, and what disturbed it: `on a host, at 2026-01-31 12:34 UTC`."""
    when = f", at {found.measured_at[:_MINUTES].replace('T', ' ')} UTC" if found.measured_at else ""
    return f"on {found.host}{when}{f', which was noisy: {found.noise}' if found.noisy else ''}"


def _percent(share: float) -> str:
    return f"{100 * share:,.0f}" if share >= 1 else f"{100 * share:.3g}"
