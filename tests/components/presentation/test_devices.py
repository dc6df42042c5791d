"""What a verdict rests on where a real device judged, in sentences."""

from __future__ import annotations

from litegate.digest import digest_bytes
from litegate.presentation.devices import judged_on, not_on_device, timed
from litegate.records import (
    Artifact,
    Candidate,
    Evaluated,
    FileRef,
    HostOutcomes,
    MetricFacts,
    TimedOnDevice,
    VariantRow,
)

TIMED = TimedOnDevice(name="device:pi5", runtime="LiteRT 2.3", latency_ms=0.3141, latency_p95_ms=0.5, samples=1697)
REF = FileRef(name="f", digest=digest_bytes(b"f"), bytes=1)
HOST = HostOutcomes(runtime="litert", title="LiteRT", beside="LiteRT", kernels="xnnpack", samples=9, outcomes=REF)


def candidate(variant: str, on_device: TimedOnDevice | None, host: HostOutcomes | None = HOST) -> Candidate:
    evaluated = Evaluated(
        variant=variant,
        artifact_digest=REF.digest,
        metric=MetricFacts(name="top1"),
        samples=9,
        available=9,
        outcomes=REF,
        seconds=1.0,
        kernels="k",
        host=host,
        on_device=on_device,
    )
    return Candidate(artifact=Artifact(variant=variant, file=REF, signatures={}), evaluated=evaluated)


def row(variant: str, on_device: TimedOnDevice | None) -> VariantRow:
    nothing = dict.fromkeys(("bytes", "value", "drop", "drop_low", "drop_high", "latency_ms", "digest", "uri"))
    known = {"variant": variant, "samples": 9, "verdict": "passed", "reasons": (), "mlflow_run_id": None}
    return VariantRow.model_validate(nothing | known | {"on_device": on_device})


def test_a_time_is_never_without_what_ran() -> None:
    said = "device:pi5 (LiteRT 2.3): median 0.314 ms, 95 % within 0.500 ms, 1,697 samples"
    assert timed(TIMED) == said


def test_files_that_one_device_ran_share_a_line() -> None:
    other = TIMED.model_copy(update={"runtime": "LiteRT 2.2"})
    rows = [row("float32", None), row("int8", TIMED), row("uint8", TIMED), row("float16", other)]
    assert judged_on(rows) == [
        "judged on device:pi5 (LiteRT 2.3), median time for a sample: int8 0.314 ms, uint8 0.314 ms",
        "judged on device:pi5 (LiteRT 2.2), median time for a sample: float16 0.314 ms",
    ]
    assert judged_on(rows[:1]) == []


def test_a_baseline_that_the_device_did_not_run_is_told() -> None:
    by_host, by_device = candidate("float32", None), candidate("float32", TIMED)
    assert not_on_device(by_host, [candidate("int8", TIMED)]) == (
        "float32, which the drop is taken from, was run by LiteRT on this host: "
        "there is no evidence of it from device:pi5"
    )
    assert not_on_device(by_device, [candidate("int8", TIMED)]) == ""
    assert not_on_device(by_host, [candidate("int8", None)]) == "", "another target's runtime has judged"
