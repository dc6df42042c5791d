"""Steps that make, look at and measure files."""

from __future__ import annotations

from typing import Any

from litegate import records
from tests.components.execution.returned.world import Case, World

__all__ = [
    "benchmark",
    "calibrate",
    "conversion_check",
    "convert",
    "evaluate",
    "evaluate_shard",
    "inspect",
    "quantize",
    "smoke",
]


def convert(world: World) -> Case:
    saved = (world.wrote("saved_model.pb", b"graph"), world.wrote("variables/variables.index", b"index"))
    result = records.Converted(
        artifact=world.artifact("float32", world.wrote),
        saved_model=saved,
        tools={"tensorflow": "2.21.0", "isolation": "complete"},
    )
    return Case(records.ConvertRequest(model=world.model(world.given)), result)


def conversion_check(world: World) -> Case:
    request = records.ConversionCheckRequest(
        model=world.model(world.given), artifact=world.baseline, samples=world.samples(world.given)
    )
    return Case(request, records.ConversionCheck(samples=20, max_abs_difference=1e-6, agreement=1.0))


def calibrate(world: World) -> Case:
    request = records.CalibrateRequest(
        saved_model=(world.given("saved_model.pb", b"graph"),),
        baseline=world.baseline,
        samples=world.samples(world.given),
    )
    file = world.wrote("calibrated.tflite", b"with ranges")
    return Case(request, records.Calibrated(file=file, variants=("int8", "int16x8")))


def quantize(world: World) -> Case:
    request = records.QuantizeRequest(
        variant="int8",
        saved_model=(world.given("saved_model.pb", b"graph"),),
        baseline=world.baseline,
        samples=world.samples(world.given),
    )
    return Case(request, world.artifact("int8", world.wrote))


def inspect(world: World) -> Case:
    request = records.InspectRequest(artifact=world.int8, baseline=world.baseline, source="m.keras", target="cpu")
    use = records.OperatorUse(name="ADD", computes="integer", inputs=("int8",), outputs=("int8",), count=2, macs=9)
    finding = records.Finding(severity="warning", code="c", message="m", count=1, examples=("t",))
    counts = {"kinds": 1, "operator_count": 2, "float_operators": 0, "macs": 9, "float_macs": 0, "islands": 0}
    result = records.Inspection(
        variant="int8",
        artifact_digest=world.int8.file.digest,
        scheme="int8",
        inputs={"x": "int8"},
        outputs={"y": "int8"},
        operators=(use,),
        float_names=(),
        island_examples=("ADD",),
        per_axis=1,
        per_tensor=1,
        buffers=(records.BufferUse(kind="weights int8", buffers=1, bytes=9),),
        largest=(records.LargeBuffer(name="w", type="int8", shape=(3, 3), bytes=9),),
        weights_compared=1,
        weight_error=0.5,
        findings=(finding,),
        blocking=(),
        **counts,
    )
    return Case(request, result)


def smoke(world: World) -> Case:
    request = records.SmokeRequest(
        artifact=world.int8,
        baseline=world.baseline,
        samples=world.samples(world.given),
        in_float=False,
        source="m.keras",
        runtime="ethos_u",
        accelerator="ethos-u55-128",
    )
    placement = records.Placement(
        accelerator="ethos-u55-128",
        compiler="ethos-u-vela 5.2.0",
        system="default",
        operators=2,
        accelerated=1,
        on_cpu=(),
        sram_bytes=9,
        cycles=9,
        milliseconds=0.1,
        compiled=world.wrote("ethos-u55-128.tflite", b"compiled"),
    )
    result = records.FileSmokeRun(
        artifact_digest=world.int8.file.digest,
        samples=20,
        constant=False,
        reference_samples=20,
        kernel_difference=0.01,
        kernel_agreement=1.0,
        warnings=("odd",),
        placement=placement,
    )
    return Case(request, result)


def benchmark(world: World) -> Case:
    request = records.BenchmarkRequest(files=(world.baseline, world.int8), samples=world.samples(world.given))
    numbers: dict[str, Any] = {"latency_ms": 0.5, "latency_p95_ms": 0.6, "runs": 9, "host": "h", "kernels": "xnnpack"}
    ratio = records.LatencyRatio(estimate=0.5, low=0.4, high=0.6, confidence=0.95, rounds=9)
    digests = (artifact.file.digest for artifact in request.files)
    files = tuple(records.FileBenchmark(artifact_digest=each, ratio=ratio, **numbers) for each in digests)
    return Case(request, records.Benchmarks(files=files))


def evaluate(world: World) -> Case:
    """A variant beside the baseline, and the baseline by itself."""
    beside = world.baseline
    spec = world.spec
    asked = records.EvaluateRequest(
        artifact=world.int8,
        data=world.data(str(world.user / "test.npz"), world.given),
        metric="top1",
        max_samples=None,
        seed=1,
        runtime="tflite_micro",
        host="litert",
        control="litert_arithmetic",
        target_samples=100,
        references=(records.Reference(role="baseline", artifact=beside),),
        stopping=records.Stopping(policy=spec.gate, variants=1, first_samples=20),
    )
    outcomes = world.wrote("int8-baseline-outcomes.npz", b"outcomes of float32 beside int8")
    names = ("host-outcomes.npz", "baseline-host-outcomes.npz")
    by_host, beside_by_host = (world.wrote(name, f"{name} of the host".encode()) for name in names)
    host = records.HostOutcomes(
        runtime="litert", title="LiteRT", beside="Micro", kernels="xnnpack", samples=300, outcomes=by_host
    )
    control = records.ControlOutcomes(
        runtime="litert_arithmetic",
        title="arithmetic",
        kernels="reference",
        outcomes=world.wrote("control-outcomes.npz", b"outcomes of the control variate"),
    )
    seen = records.ReferenceOutcomes(
        role="baseline", artifact_digest=beside.file.digest, outcomes=outcomes, host=beside_by_host
    )
    change = {"samples": 40, "predictions": {0: 25, 1: 15}, "design": "interim", "analyses": 3, "references": (seen,)}
    found = world.evaluation(world.int8, world.wrote).model_copy(update=change | {"host": host, "control": control})
    whole = world.evaluation(beside, world.wrote).model_copy(update={"host": host})
    alone = asked.model_copy(update={"artifact": beside, "references": (), "stopping": None, "control": None})
    return Case(
        records.EvaluateFilesRequest(files=(asked, alone)),
        records.FileEvaluations(files=(found, whole)),
    )


def evaluate_shard(world: World) -> Case:
    """The target sees a part of the samples, and of the other file none of this shard."""
    asked = records.EvaluateRequest(
        artifact=world.int8,
        data=world.data(str(world.user / "test.npz"), world.given),
        metric="top1",
        max_samples=200,
        seed=1,
        runtime="tflite_micro",
        host="litert",
        target_samples=100,
    )
    files = (asked, asked.model_copy(update={"artifact": world.baseline}))
    choices = (asked.choice,)
    names = ("outcomes-0.npz", "outcomes-1.npz")
    runs = tuple(world.wrote(name, f"{name} of a shard".encode()) for name in names)
    found = records.FileShard(artifact_digest=world.int8.file.digest, samples=40, runs=runs, seconds=1.5)
    by_host = found.model_copy(
        update={"artifact_digest": world.baseline.file.digest, "samples": 0, "runs": (None, runs[1])}
    )
    return Case(
        records.ShardFilesRequest(
            files=tuple(records.ShardRequest(file=file, number=2, of=3, choices=choices) for file in files)
        ),
        records.FileShards(files=(found, by_host)),
    )
