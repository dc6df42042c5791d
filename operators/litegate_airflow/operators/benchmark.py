"""Benchmark: the latencies of all files on this host."""

from __future__ import annotations

from airflow.sdk.exceptions import AirflowSkipException
from typing_extensions import override

from litegate.records import Record
from litegate_airflow.operators.step import StepOperator
from litegate_airflow.runtime.run_records import RunRecords

__all__ = ["BenchmarkOperator"]


class BenchmarkOperator(StepOperator):
    """Returns `Benchmarks` of the baseline and of every variant that was evaluated, whatever became of the others."""

    step = "benchmark"

    @override
    def request(self, records: RunRecords) -> Record:
        if problem := records.unmeasured():
            raise AirflowSkipException(f"nothing will be judged: {problem}")
        return super().request(records)
