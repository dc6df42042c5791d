"""Benchmark: the latency of an artifact on this host."""

from __future__ import annotations

from litegate_airflow.operators.step import VariantOperator

__all__ = ["BenchmarkOperator"]


class BenchmarkOperator(VariantOperator):
    """Returns a `Benchmark` of the baseline, or of the variant quantized in the same mapped instance."""

    step = "benchmark"
