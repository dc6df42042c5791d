"""Step `benchmark` on real files, beside files that die."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest

from litegate import runtimes
from litegate.digest import digest_bytes
from litegate.errors import StepFailed
from litegate.inspection.tflite import describe
from litegate.latency import timing
from litegate.records import Artifact, BenchmarkRequest, Benchmarks, FileRef, SampleSet
from litegate.runtimes import RuntimeRow, vulkan
from litegate.steps import benchmark
from litegate.work.step_work import Work
from tests.components.runtimes.on_gpu import needs_gpu

Run = Callable[..., Benchmarks]


@pytest.fixture
def run(tflite_files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the step on real files by variant, and on words that `brittle` understands."""
    row = RuntimeRow("brittle", "tests.components.latency.brittle", "Brittle")
    monkeypatch.setattr(runtimes, "RUNTIMES", MappingProxyType({**runtimes.RUNTIMES, "brittle": row}))
    monkeypatch.setattr(timing, "_LONGEST_TURN", 2.0)
    work = Work(tmp_path, tmp_path / "cache")
    (tmp_path / "cache" / "files").mkdir(parents=True)
    signatures = describe(tflite_files["float32"].read_bytes())

    def file(content: bytes, name: str) -> FileRef:
        ref = FileRef(name=name, digest=digest_bytes(content), bytes=len(content))
        work.path(ref).write_bytes(content)
        return ref

    def made(*names: str, runtime: str = "brittle", remeasure: str = "", **same: str) -> Benchmarks:
        """Of variants by their files' names, or by those that `same` has for them."""
        files = {name: same.get(name, name) for name in names}
        contents = {
            name: tflite_files[of].read_bytes() if of in tflite_files else of.encode() for name, of in files.items()
        }
        images = np.random.default_rng(1).normal(size=(40, 8, 8, 1)).astype("float32")
        samples = io.BytesIO()
        np.savez(samples, **{"serving_default/image": images})
        request = BenchmarkRequest(
            files=tuple(
                Artifact(variant=name, file=file(content, f"{name}.tflite"), signatures=signatures)
                for name, content in contents.items()
            ),
            samples=SampleSet(file=file(samples.getvalue(), "samples.npz"), samples=40, available=40, labels={}),
            runtime=runtime,
            remeasure=remeasure,
        )
        return benchmark.run(request, work)

    return made


def test_every_file_gets_its_latency_and_its_share_of_float32s(run: Run) -> None:
    found = run("float32", "dynamic_range", "int8", runtime="litert", remeasure="run 7")
    assert (len(found.files), found.failures, found.remeasured) == (3, (), "run 7")
    for item in found.files:
        assert 0 < item.latency_ms <= item.latency_p95_ms
        assert item.ratio is not None
        assert item.ratio.low <= item.ratio.estimate <= item.ratio.high
        assert (item.kernels, item.runs > item.ratio.rounds >= 6) == ("xnnpack", True)
        assert (item.host, item.others, item.waited) == (found.files[0].host, item.others, item.waited)
        assert item.measured_at is not None
    assert found.files[0].ratio is not None
    assert (found.files[0].ratio.low, found.files[0].ratio.high) == (1.0, 1.0), "float32 is as fast as itself"


def test_variants_of_the_same_bytes_are_timed_as_one_file(run: Run) -> None:
    found = run("float32", "int8", "int8_float_fallback", runtime="litert", int8_float_fallback="int8")
    _, one, other = found.files
    assert one.model_copy(update={"measured_at": ""}) == other.model_copy(update={"measured_at": ""})
    both = run("float32", "segfault", "same", same="segfault")
    assert [item.kind for item in both.failures] == ["segfault", "segfault"]


@needs_gpu
def test_the_latency_of_a_software_device_is_called_so(run: Run) -> None:
    software = {device.software for device in vulkan.devices()} == {True}
    for item in run("float32", "int8", runtime="gpu").files:
        assert item.latency_ms > 0
        assert item.software == software == item.host.endswith(", a software device")


@pytest.mark.parametrize(
    ("word", "kind", "says"),
    [
        ("segfault", "segfault", "SIGSEGV"),
        ("exits", "crash", "exit code 7"),
        ("raises", "out_of_memory", "no memory for the arena"),
        ("hangs", "timeout", "not done after 2 s"),
    ],
)
def test_a_file_that_dies_loses_its_own_latency_and_no_other(run: Run, word: str, kind: str, says: str) -> None:
    found = run("float32", word, "int8")
    (failure,) = found.failures
    assert (failure.artifact_digest, failure.kind) == (digest_bytes(word.encode()), kind)
    assert says in failure.message
    assert [item.ratio is not None for item in found.files] == [True, True]


def test_without_float32_the_others_have_latencies_and_no_share(run: Run) -> None:
    found = run("segfault", "int8")
    assert [item.ratio for item in found.files] == [None]
    assert len(found.failures) == 1


def test_what_cannot_be_loaded_is_left_out(run: Run) -> None:
    found = run("float32", "nonsense", runtime="litert")
    assert [(item.kind, "Flatbuffer" in item.message) for item in found.failures] == [("python_error", True)]
    assert len(found.files) == 1


def test_an_end_from_outside_says_nothing_of_any_file(run: Run) -> None:
    with pytest.raises(StepFailed, match="SIGKILL") as failed:
        run("float32", "killed")
    assert failed.value.kind == "killed"
