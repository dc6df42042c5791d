"""How fast files run on one host, timed together."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from litegate.records.artifacts import NAMES, Artifact, FileFailure
from litegate.records.base import Record
from litegate.records.fields import Count, Digest, Moment, Share, VariantName
from litegate.records.samples import SampleSet

__all__ = ["Benchmark", "BenchmarkRequest", "Benchmarks", "FileBenchmark", "LatencyRatio"]

Ratio = Annotated[float, Field(gt=0)]


class BenchmarkRequest(Record):
    """Files that are timed in turns, so that what disturbs one disturbs all.

    Attributes:
        files: the float32 baseline first; no two of them have equal bytes.
        remeasure: names who asks for figures of its own; empty where stored ones will do.
    """

    unkeyed: ClassVar[dict[str, Any]] = {"files": {"__all__": NAMES}, "remeasure": True}

    files: tuple[Artifact, ...]
    samples: SampleSet
    signature: str | None = None
    runtime: str = "litert"
    remeasure: str = ""


class LatencyRatio(Record):
    """Latency as a share of float32's, of pairs that were timed in the same rounds.

    Attributes:
        estimate: median over the rounds.
        low, high: both ends of its interval at `confidence`.
    """

    estimate: Ratio
    low: Ratio
    high: Ratio
    confidence: float
    rounds: Count


class FileBenchmark(Record):
    """Median and 95th percentile of single-threaded `invoke`, in milliseconds, on the named host.

    Attributes:
        ratio: to float32; None where float32 could not be timed, or in too few rounds.
        measured_at: when, in UTC.
        others: share of the host's processors that other processes used meanwhile; None if it cannot be told.
        waited: share of the time in which it waited for a processor; None if it cannot be told.
        software: whether a CPU did the work of the target's device, so that they say nothing about that.
        noise: why the figures are not to be trusted much, in words; empty for a quiet host.
    """

    artifact_digest: Digest
    latency_ms: float
    latency_p95_ms: float
    runs: Count
    host: str
    kernels: str
    ratio: LatencyRatio | None = None
    measured_at: Moment | None = None
    others: Share | None = None
    waited: Share | None = None
    software: bool = False
    noise: str = ""

    @property
    def noisy(self) -> bool:
        """Whether something disturbed the measurement."""
        return bool(self.noise)


class Benchmark(FileBenchmark):
    """The same of a variant."""

    variant: VariantName


class Benchmarks(Record):
    """What was found of each file; one that crashed has a failure instead, and takes no other along.

    Attributes:
        remeasured: who asked for these figures; empty if nobody in particular did.
    """

    files: tuple[FileBenchmark, ...]
    failures: tuple[FileFailure, ...] = ()
    remeasured: str = ""
