"""How fast a file runs on one host."""

from __future__ import annotations

from typing import Any, ClassVar

from litegate.records.artifacts import NAMES, Artifact
from litegate.records.base import Record
from litegate.records.fields import Count, Digest, VariantName
from litegate.records.samples import SampleSet

__all__ = ["Benchmark", "BenchmarkRequest", "FileBenchmark"]


class BenchmarkRequest(Record):
    unkeyed: ClassVar[dict[str, Any]] = {"artifact": NAMES}

    artifact: Artifact
    samples: SampleSet
    signature: str | None = None
    runtime: str = "litert"


class FileBenchmark(Record):
    """Median and 95th percentile of single-threaded `invoke`, in milliseconds, on the named host."""

    artifact_digest: Digest
    latency_ms: float
    latency_p95_ms: float
    runs: Count
    host: str
    kernels: str


class Benchmark(FileBenchmark):
    """The same of a variant."""

    variant: VariantName
