"""What a result says of its request: the honest one holds, and each of these does not."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from litegate.execution.returned.claims import CLAIMS, problems
from litegate.records import Announcement
from litegate.settings import settings
from litegate.spec.metric_facts import MetricFacts
from tests.components.execution.returned.honest import HONEST, World
from tests.components.presentation.test_fine_tunings import fine_tuning
from tests.components.presentation.test_recoveries import recovery


@dataclass(frozen=True)
class Row:
    step: str
    place: str
    value: Any
    says: str

    def __str__(self) -> str:
        return f"{self.step} {self.place}"


OTHER = "0" * 64
MAE = MetricFacts(name="mae", higher_is_better=False, high=None).model_dump()
TIMED = {"name": "device:pi5", "runtime": "r", "latency_ms": 1.0, "latency_p95_ms": 2.0, "samples": 100}
ROWS = (
    Row("prepare", "uri", "s3://elsewhere/made.npz", "uri: expected"),
    Row("train", "uri", "/user/versions/another.keras", "uri: expected"),
    Row("resolve", "spec.gate.max_drop", 0.9, "spec: expected"),
    Row("resolve", "preprocess.folder", "/", "preprocess.folder: expected"),
    Row("resolve", "preprocess.reference", "others:preprocess", "preprocess.reference: expected"),
    Row("resolve", "preprocess", None, "preprocess: expected 'theirs:preprocess', got None"),
    Row("resolve", "metric", MAE, "metric: expected"),
    Row("resolve", "metric_code", {"reference": "a:b", "folder": "/", "digest": OTHER}, "metric_code: expected None"),
    Row("resolve", "decoder", {"reference": "a:b", "folder": "/", "digest": OTHER}, "decoder: expected None"),
    Row("resolve", "trigger", {"source": "s", "timestamp": "t"}, "trigger: expected None"),
    Row("resolve", "overrides", {"changes": []}, "overrides: expected None"),
    Row("snapshot", "spec.requalify.max_drop", 0.9, "spec: expected"),
    Row("snapshot", "preprocess.folder", "/", "preprocess.folder: expected"),
    Row("convert", "artifact.variant", "int8", "variant: expected 'float32', got 'int8'"),
    Row("convert", "artifact.file.name", "a.tflite", "the file's name: expected 'float32.tflite'"),
    Row("convert", "saved_model.0.name", "variables/variables.index", "names of the SavedModel's files"),
    Row("convert", "tools", {"a b": "1"}, "expected names and versions, got 'a b'"),
    Row("convert", "tools", dict.fromkeys("abcdefghijklmnopqrstuvwxyz0123456789", "1"), "tools: expected at most 32"),
    Row("sample", "samples", 21, "samples: expected at most 20, got 21"),
    Row("sample", "available", 19, "samples: expected at most 19, got 20"),
    Row("sample", "labels", {"0": 12}, "the sum of labels: expected 20, got 12"),
    Row("sample", "inputs", {}, "inputs: expected"),
    Row("device_samples", "signature", "other", "signature: expected 'serving_default', got 'other'"),
    Row("device_samples", "file.name", "other.npz", "the file's name: expected 'samples.npz', got 'other.npz'"),
    Row("lint", "samples", 19, "samples: expected 20, got 19"),
    Row("lint", "findings.0.severity", "error", "errors, which end the step: expected [], got ['few']"),
    Row("conversion_check", "samples", 21, "samples: expected at most 20, got 21"),
    Row("calibrate", "variants", (), "whether there is a file: expected False, got True"),
    Row("calibrate", "file.name", "other.tflite", "the file's name: expected 'calibrated.tflite', got 'other.tflite'"),
    Row("calibrate", "variants", ("float16",), "variants that are not calibrated: expected [], got ['float16']"),
    Row("quantize", "variant", "uint8", "variant: expected 'int8', got 'uint8'"),
    Row("quantize", "signatures", {}, "signatures: expected {'serving_default'}"),
    Row("quantize", "recovery", recovery().model_dump(), "whether it was searched for: expected False, got True"),
    Row("quantize", "fine_tuning", fine_tuning().model_dump(), "whether it was trained: expected False, got True"),
    Row("resolve", "fine_tune_code", {"reference": "a:b", "folder": "/", "digest": OTHER}, "fine_tune_code: expected"),
    Row("inspect", "variant", "uint8", "variant: expected 'int8', got 'uint8'"),
    Row("inspect", "artifact_digest", OTHER, "artifact_digest: expected"),
    Row("inspect", "float_operators", 3, "float_operators: expected at most 2, got 3"),
    Row("inspect", "float_macs", 10, "float_macs: expected at most 9, got 10"),
    Row("smoke", "artifact_digest", OTHER, "artifact_digest: expected"),
    Row("smoke", "samples", 21, "samples: expected at most 20, got 21"),
    Row("smoke", "placement", None, "placement.accelerator: expected 'ethos-u55-128', got None"),
    Row("smoke", "placement.accelerator", "ethos-u55-32", "placement.accelerator: expected 'ethos-u55-128'"),
    Row("smoke", "placement.cycles", None, "placement.cycles: expected some for 1 accelerated calls, got None"),
    Row("smoke", "placement.accelerated", 0, "placement.cycles: expected some for 0 accelerated calls, got 9"),
    Row("benchmark", "files.0.artifact_digest", OTHER, "digests of files: expected"),
    Row("resolve", "remeasure", "run 7", "remeasure: expected ''"),
    Row("benchmark", "files", [], "digests of files: expected"),
    Row("benchmark", "files.1.ratio.high", 0.45, "ratio: expected one within its interval"),
    Row("evaluate", "files.0.artifact_digest", OTHER, "artifact_digest: expected"),
    Row("evaluate", "files.0.metric", MAE, "the metric's name: expected 'top1', got 'mae'"),
    Row("evaluate", "files.0.metric.higher_is_better", False, "metric: expected"),
    Row("evaluate", "files.0.samples", 101, "samples: expected at most 100, got 101"),
    Row("evaluate", "files.0.class_samples", {"0": 60}, "the sum of class_samples: expected 100, got 60"),
    Row("evaluate", "files.0.predictions", {"0": 60}, "the sum of predictions: expected 40, got 60"),
    Row("evaluate", "files.0.design", "fixed", "design: expected 'interim', got 'fixed'"),
    Row("evaluate", "files.0.on_device", TIMED, "on_device: expected None, got 'device:pi5'"),
    Row("evaluate", "files.0.references", [], "references: expected"),
    Row("evaluate", "files.0.host", None, "host: expected 'litert', got None"),
    Row("evaluate", "files.0.host.runtime", "gpu", "host: expected 'litert', got 'gpu'"),
    Row("evaluate", "files.0.host.samples", 99, "available: expected at most 99, got 100"),
    Row("evaluate", "files.0.references.0.host", None, "references run by the host: expected [True], got [False]"),
    Row("evaluate", "files.0.references.0.artifact_digest", OTHER, "references: expected"),
    Row("evaluate", "files.0.control", None, "whether there is a control variate: expected True, got False"),
    Row("evaluate", "files.0.control.runtime", "gpu", "the control variate: expected 'litert_arithmetic', got 'gpu'"),
    Row("evaluate", "files.0.control.refused", "a reason", "the control variate: expected 'litert', got"),
    Row("evaluate", "files.0.control.outcomes", None, "whether it has outcomes of its own: expected True, got False"),
    Row("evaluate_shard", "files", [], "the number of files: expected 2, got 0"),
    Row("evaluate_shard", "files.0.artifact_digest", OTHER, "artifact_digest: expected"),
    Row("evaluate_shard", "files.0.samples", 101, "samples: expected at most 100, got 101"),
    Row("evaluate_shard", "files.0.samples", 0, "whether there are outcomes: expected False, got True"),
    Row("evaluate_shard", "files.0.runs", [], "whether there are outcomes: expected True, got False"),
    Row("evaluate_shard", "files.1.runs", [None] * 3, "runs: expected at most 2, got 3"),
    Row("gate", "verdicts.1.variant", "uint8", "variants: expected ['float32', 'int8'], got ['float32', 'uint8']"),
    Row("gate", "verdicts.1.digest", OTHER, "the verdict of int8: digest: expected"),
    Row("gate", "verdicts.0.state", "passed", "whether it is the baseline: expected True, got False"),
    Row("gate", "verdicts.1.samples", 101, "samples: expected at most 100, got 101"),
    Row("gate", "verdicts.1.explanation.0.name", "verdict.json", "explanation: expected tables of int8"),
    Row("gate", "verdicts.1.clauses.0.state", "failed", "clauses of what passed: expected {'passed'}"),
    Row("gate", "verdicts.1.clauses", [], "clauses of what passed: expected {'passed'}, got {'no clause'}"),
    Row("drift", "inputs.0.input", "another", "inputs: expected those of serving_default/x"),
)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    return World(tmp_path, settings().pythons)


def changed(value: Any, place: list[str], new: Any) -> Any:
    """A JSON value with another one in one place."""
    if not place:
        return new
    key: Any = int(place[0]) if isinstance(value, list) else place[0]
    copy = list(value) if isinstance(value, list) else dict(value)
    copy[key] = changed(value[key], place[1:], new)
    return copy


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_result_that_is_not_about_its_request_is_told(world: World, row: Row) -> None:
    case = HONEST[row.step](world)
    assert list(problems(row.step, case.request, case.result)) == []
    result = type(case.result).model_validate(changed(case.result.to_json(), row.place.split("."), row.value))
    said = list(problems(row.step, case.request, result))
    assert any(row.says in problem for problem in said), said


def test_every_claim_has_a_row() -> None:
    assert {row.step for row in ROWS} == set(CLAIMS) - {"infer_schema"}


def test_what_cannot_run_on_the_target_has_not_passed(world: World) -> None:
    """That is known without the judge, in whose process a user's metric may run."""
    case = HONEST["gate"](world)
    request = case.request.model_copy(update={"target": "gpu"})
    assert list(problems("gate", request, case.result)) == [
        "the verdict of int8: refusals of what passed: expected [], got ['wrong_target']"
    ]


def test_a_model_that_nobody_announced_is_told(world: World) -> None:
    case = HONEST["resolve"](world)
    announced = (Announcement(digest=OTHER, source="s", timestamp="t"),)
    request = case.request.model_copy(update={"announced": announced})
    result = case.result.model_copy(update={"trigger": announced[0]})
    assert [said.partition(", got")[0] for said in problems("resolve", request, result)] == [
        "the model: expected one that was announced"
    ]
