"""Benchmark: the latencies of all files on this host."""

from __future__ import annotations

from litegate_airflow.operators.step import StepOperator

__all__ = ["BenchmarkOperator"]


class BenchmarkOperator(StepOperator):
    """Returns `Benchmarks` of the baseline and of every variant that was evaluated, whatever became of the others."""

    step = "benchmark"
