"""Facts of a run as tags."""

from __future__ import annotations

from litegate.records import Announcement, RunOrigin, TimedOnDevice
from litegate.tracking.fields import (
    NUMBERS,
    began,
    origin_tags,
    run_inputs,
    run_metrics,
    trigger_tags,
    variant_metrics,
    variant_tags,
)
from tests.components.report.runs import MadeRun, Variant


def test_a_run_says_who_announced_its_model() -> None:
    event = Announcement(digest="a" * 64, source="the watcher", timestamp="2026-01-01T00:00:00+00:00")
    tags = {"trigger": "the watcher", "trigger.time": event.timestamp, "trigger.digest": "a" * 64}
    assert trigger_tags(event) == tags
    assert "trigger.digest" not in trigger_tags(event.model_copy(update={"digest": None}))
    assert trigger_tags(None) == {}


def test_what_would_decide_is_counted_in_clusters_where_there_are_any() -> None:
    for clusters, unit in ((None, "samples"), (100, "clusters")):
        made = MadeRun(variants=[Variant(name="int8", state="inconclusive", needed=240, clusters=clusters)])
        request = made.request
        found = variant_metrics(request.candidates[0], request.verdicts[1], made.result.baseline)
        assert (found["samples"], found["clusters"], found[f"{unit}_needed"]) == (1000, clusters, 240)
        assert len([name for name in found if name.endswith("_needed")]) == 1


def test_a_pipeline_run_has_the_numbers_of_what_it_selected() -> None:
    variants = [Variant(name="int8", drop=0.004), Variant(name="float16", drop=0.001)]
    made = {name: MadeRun(variants=variants, selected=name).request for name in ("int8", "float16", None)}
    found = {name: run_metrics(request) for name, request in made.items()}
    assert {name: metrics.get("drop") for name, metrics in found.items()} == {
        "int8": 0.004,
        "float16": 0.001,
        None: None,
    }
    assert {metrics["baseline_top1"] for metrics in found.values()} == {0.9}
    assert found["int8"]["bytes"] == found["int8"]["size_ratio"] * 300_000
    assert len({tuple(run_inputs(request)) for request in made.values()}) == 3, "another selection is another run"


def test_a_run_says_when_it_began_who_started_it_and_what_made_it() -> None:
    origin = RunOrigin(began="1970-01-01T00:00:02.5+00:00", user="ann", source="quantize__kws")
    assert began(origin) == 2500
    assert origin_tags(origin) == {
        "mlflow.user": "ann",
        "mlflow.source.name": "quantize__kws",
        "mlflow.source.type": "LOCAL",
    }
    assert began(RunOrigin()) is None
    assert origin_tags(RunOrigin()) == {}


def test_a_device_that_judged_is_named_with_what_ran_there_and_its_times() -> None:
    made = MadeRun(variants=[Variant(name="int8")])
    candidate, verdict = made.request.candidates[0], made.request.verdicts[1]
    timed = TimedOnDevice(name="device:pi5", runtime="LiteRT 2.3", latency_ms=0.25, latency_p95_ms=0.5, samples=1000)
    evaluated = candidate.evaluated.model_copy(update={"on_device": timed})
    judged = candidate.model_copy(update={"evaluated": evaluated})
    numbers = variant_metrics(judged, verdict, made.result.baseline)
    assert (numbers["device_latency_ms"], numbers["device_latency_p95_ms"]) == (0.25, 0.5)
    assert {"device_latency_ms", "device_latency_p95_ms"} <= NUMBERS
    tags = variant_tags(made.request, judged, verdict)
    assert tags["device"] == "device:pi5"
    assert "Judged on device:pi5 (LiteRT 2.3): median 0.250 ms, 95 % within 0.500 ms" in tags["mlflow.note.content"]
    assert "device" not in variant_tags(made.request, candidate, verdict)
    assert "device_latency_ms" not in variant_metrics(candidate, verdict, made.result.baseline)
