"""Step `benchmark`: latency of `invoke`, one sample, one thread, on this host, in quiet."""

from __future__ import annotations

import platform
import time
from typing import Any

import numpy as np

from litegate.datasets.representative import load_samples
from litegate.progress import Progress
from litegate.records import BenchmarkRequest, FileBenchmark
from litegate.runtimes import Model, load_runtime
from litegate.runtimes.litert import choose_signature
from litegate.work.step_work import Work

__all__ = ["run"]

Array = np.ndarray[Any, np.dtype[Any]]

_SECONDS = 1.5
_MIN_RUNS, _MAX_RUNS = 5, 2000


def run(request: BenchmarkRequest, work: Work) -> FileBenchmark:
    """Invoke on real samples for a fixed time, after a warm-up, and take the median."""
    artifact = request.artifact
    key = choose_signature(tuple(artifact.signatures), request.signature)
    model = load_runtime(request.runtime).load(work.path(artifact.file).read_bytes(), key)
    features = load_samples(work.path(request.samples.file))[key]
    samples = [
        model.quantize({name: value[index : index + 1] for name, value in features.items()})
        for index in range(min(request.samples.samples, 32))
    ]
    model.invoke(samples[0])
    progress = Progress(work.say, f"benchmark {artifact.variant}", _MIN_RUNS, unit="runs")
    times = _measure(model, samples, progress)
    median, p95 = (float(value) * 1e3 for value in np.percentile(times, (50, 95)))
    work.say("benchmark %s: median %.3f ms, p95 %.3f ms, %d runs", artifact.variant, median, p95, len(times))
    return FileBenchmark(
        artifact_digest=artifact.file.digest,
        latency_ms=median,
        latency_p95_ms=p95,
        runs=len(times),
        host=f"{platform.node()} ({platform.machine()})",
        kernels=model.kernels,
    )


def _measure(model: Model, samples: list[dict[str, Array]], progress: Progress) -> list[float]:
    times: list[float] = []
    end = time.perf_counter() + _SECONDS
    while len(times) < _MIN_RUNS or (time.perf_counter() < end and len(times) < _MAX_RUNS):
        sample = samples[len(times) % len(samples)]
        begin = time.perf_counter()
        model.invoke(sample)
        times.append(time.perf_counter() - begin)
        progress.reach(len(times))
    return times
