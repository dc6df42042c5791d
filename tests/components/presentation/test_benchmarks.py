"""Latencies in words: with their interval, host, date and noise."""

from __future__ import annotations

import pytest

from litegate.presentation.benchmarks import benchmark_conditions, latency_share, share_bounds
from litegate.records import Benchmark, LatencyRatio

RATIO = LatencyRatio(estimate=0.336, low=0.331, high=0.342, confidence=0.95, rounds=31)
FOUND = Benchmark(
    variant="int8",
    artifact_digest="0" * 64,
    latency_ms=0.1,
    latency_p95_ms=0.2,
    runs=9,
    host="pi (aarch64)",
    kernels="xnnpack",
    ratio=RATIO,
    measured_at="2026-01-31T12:34:56.000000+00:00",
)


def test_a_share_is_read_with_its_interval() -> None:
    assert latency_share(RATIO) == "0.336 of float32's, between 0.331 and 0.342 with 95 % confidence"
    assert share_bounds(RATIO) == "33.6 % (33.1 to 34.2)"


def test_what_takes_many_times_as_long_is_read_in_whole_percent() -> None:
    slow = RATIO.model_copy(update={"estimate": 98.765, "low": 97.0, "high": 101.2345})
    assert share_bounds(slow) == "9,876 % (9,700 to 10,123)"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "on pi (aarch64), at 2026-01-31 12:34 UTC"),
        ({"noise": "busy"}, "on pi (aarch64), at 2026-01-31 12:34 UTC, which was noisy: busy"),
        ({"measured_at": None}, "on pi (aarch64)"),
    ],
)
def test_conditions_are_host_date_and_what_disturbed(changes: dict[str, str | None], said: str) -> None:
    assert benchmark_conditions(FOUND.model_copy(update=changes)) == said
