"""The latencies of a run in one line."""

from __future__ import annotations

from litegate.presentation.latencies import latencies
from litegate.records import Benchmark, LatencyRatio, VariantRow

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


def row(variant: str, benchmark: Benchmark | None) -> VariantRow:
    unknown = dict.fromkeys(("bytes", "value", "drop", "drop_low", "drop_high", "digest", "uri", "mlflow_run_id"))
    return VariantRow.model_validate(
        unknown
        | {"variant": variant, "samples": 0, "verdict": "passed", "reasons": (), "latency_ms": None}
        | {"benchmark": benchmark}
    )


def test_all_shares_are_said_in_one_line_without_the_baselines_own() -> None:
    rows = [row("float32", FOUND), row("int8", FOUND), row("uint8", None)]
    assert latencies(rows) == [
        "latency as a share of float32's, on pi (aarch64), at 2026-01-31 12:34 UTC: int8 33.6 % (33.1 to 34.2)"
    ]


def test_without_a_share_nothing_is_said() -> None:
    alone = FOUND.model_copy(update={"ratio": None})
    assert latencies([row("float32", FOUND), row("int8", alone)]) == []
