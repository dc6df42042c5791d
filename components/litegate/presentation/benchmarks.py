"""A latency as people read it: never without the host that it was measured on."""

from __future__ import annotations

from litegate.presentation import wording
from litegate.records import FileBenchmark, LatencyRatio

__all__ = ["benchmark_conditions", "latency_share", "share_bounds"]

_MINUTES = len("2026-01-31T12:34")


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
    return f"{100 * share:,.0f}" if share >= 1 else f"{100 * share:.1f}"
