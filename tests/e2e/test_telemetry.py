"""Where Airflow is told to send metrics and traces, litegate's own are among them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.collector import Collector, attributes
from tests.e2e.conftest import LiteGate

pytestmark = pytest.mark.e2e


def labelled(collector: Collector) -> list[Any]:
    return [span for span in collector.spans if attributes(span).get("litegate.label", "").startswith("observed/")]


def test_every_step_is_a_span_within_its_task_and_counted(
    litegate: LiteGate, collector: Collector, models: Path, tmp_path: Path
) -> None:
    ended = litegate.run_spec(
        tmp_path,
        model={"name": "observed", "uri": str(models / "keras3.keras")},
        calibration={"uri": str(models / "calibration.npz"), "format": "npz", "samples": 97},
        evaluation={"uri": str(models / "test.npz"), "format": "npz"},
        variants=["int8"],
        gate={"max_drop": 0.05},
    )
    assert ended.code == 0, ended.output
    promoted = "airflow.litegate.promotion.promoted"
    about = {"model": "observed", "variant": "int8"}
    collector.wait(lambda found: about in found.metrics.get(promoted, []))
    assert about in collector.metrics["airflow.litegate.verdict.passed"]
    quantized = {"step": "quantize", **about}
    assert quantized in collector.metrics["airflow.litegate.step.quantize.duration"]
    counted = [collector.metrics.get(f"airflow.litegate.step.quantize.{each}", []) for each in ("computed", "found")]
    assert sum(quantized in each for each in counted) == 1, "another test may have made the same file before"

    collector.wait(lambda found: any(span.name == "litegate.gate" for span in labelled(found)))
    spans = labelled(collector)
    assert {"litegate.convert", "litegate.quantize", "litegate.evaluate", "litegate.gate"} <= {
        each.name for each in spans
    }
    assert len({span.trace_id for span in spans}) == 1, "the run's"
    (quantize,) = (span for span in spans if span.name == "litegate.quantize")
    collector.wait(lambda found: any(span.span_id == quantize.parent_span_id for span in found.spans))
    tasks = {span.span_id: span.name for span in collector.spans}
    assert tasks[quantize.parent_span_id] == "worker.quantize[0]"
    assert attributes(quantize)["litegate.label"] == "observed/int8"
