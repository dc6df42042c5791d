"""Step `benchmark`: latency of `invoke`, one sample, one thread, on this host: all files of a run in turns.

Variants whose bytes are the same are one file: where all of a model computes in 16x8, there is no float to fall back
to, and the variant that may has the bytes of the one that must not.
"""

from __future__ import annotations

import platform
from datetime import UTC, datetime

from litegate.datasets.representative import load_samples
from litegate.latency.figures import latency_ratio, noise, percentiles
from litegate.latency.timing import Job, Timed, time_files
from litegate.records import Artifact, BenchmarkRequest, Benchmarks, FileBenchmark, FileFailure
from litegate.runtimes.litert import choose_signature
from litegate.runtimes.vulkan import SOFTWARE
from litegate.work.step_work import Work

__all__ = ["run"]


def run(request: BenchmarkRequest, work: Work) -> Benchmarks:
    """Time the files on real samples; what died has a failure in place of its latency.

    Raises:
        StepFailed: the measurement was ended from outside.
    """
    timed = time_files(_job(request, work))
    measured = [artifact for artifact in request.files if _named(artifact, request) in timed.times.rounds]
    disturbed = noise(timed.times.rounds.get(request.files[0].variant), timed.times.load)
    files = tuple(_figures(artifact, request, timed, disturbed) for artifact in measured)
    for artifact, found in zip(measured, files, strict=True):
        share = f", {found.ratio.estimate:.3g} of float32's" if found.ratio else ""
        work.say("benchmark %s: median %.3f ms%s, %d runs", artifact.variant, found.latency_ms, share, found.runs)
    if disturbed:
        work.say("benchmark: this host was noisy: %s", disturbed)
    return Benchmarks(files=files, failures=tuple(_failures(request, timed)), remeasured=request.remeasure)


def _job(request: BenchmarkRequest, work: Work) -> Job:
    files = {
        _named(artifact, request): (
            work.path(artifact.file),
            choose_signature(tuple(artifact.signatures), request.signature),
        )
        for artifact in request.files
    }
    return Job(request.runtime, files, load_samples(work.path(request.samples.file)), work.say)


def _named(artifact: Artifact, request: BenchmarkRequest) -> str:
    """The first variant that has the bytes of this one."""
    return next(each.variant for each in request.files if each.file.digest == artifact.file.digest)


def _figures(artifact: Artifact, request: BenchmarkRequest, timed: Timed, disturbed: str) -> FileBenchmark:
    name, rounds = _named(artifact, request), timed.times.rounds
    ours, theirs = rounds[name], rounds.get(request.files[0].variant)
    median, p95 = percentiles(ours)
    kernels = timed.kernels[name]
    software = SOFTWARE in kernels
    return FileBenchmark(
        artifact_digest=artifact.file.digest,
        latency_ms=median,
        latency_p95_ms=p95,
        runs=sum(map(len, ours)),
        host=f"{platform.node()} ({platform.machine()})" + f", a {SOFTWARE}" * software,
        kernels=kernels,
        software=software,
        ratio=latency_ratio(ours, theirs) if theirs else None,
        measured_at=datetime.now(UTC).isoformat(),
        others=timed.times.load.others,
        waited=timed.times.load.waited,
        noise=disturbed,
    )


def _failures(request: BenchmarkRequest, timed: Timed) -> list[FileFailure]:
    return [
        FileFailure(artifact_digest=artifact.file.digest, kind=died.kind, message=died.message)
        for artifact in request.files
        if (died := timed.died.get(_named(artifact, request))) is not None
    ]
