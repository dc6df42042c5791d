"""The latencies of a run in one line."""

from __future__ import annotations

from collections.abc import Sequence

from litegate.presentation.benchmarks import benchmark_conditions, share_bounds
from litegate.records import VariantRow
from litegate.variants import BASELINE

__all__ = ["latencies"]


def latencies(rows: Sequence[VariantRow]) -> list[str]:
    """The shares of float32's latency with their intervals, and where they were measured; empty if there are none."""
    found = [(row.variant, row.benchmark) for row in rows if row.benchmark and row.variant != BASELINE]
    shares = [f"{name} {share_bounds(benchmark.ratio)}" for name, benchmark in found if benchmark.ratio is not None]
    if not shares:
        return []
    return [f"latency as a share of float32's, {benchmark_conditions(found[0][1])}: {', '.join(shares)}"]
