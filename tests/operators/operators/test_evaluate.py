"""Evaluation requests: what each artifact is measured on, beside what, and when it may end early."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from litegate.digest import digest_json
from litegate.pipeline.evaluation import REFERENCE_SAMPLES, evaluate_files_request
from litegate.records import (
    Artifact,
    ChampionFile,
    Converted,
    DataRef,
    EvaluateRequest,
    FileRef,
    MetricFacts,
    ModelRef,
    Resolved,
    UserCode,
)
from litegate.spec import parse_spec
from litegate_airflow.runtime.run_records import RunRecords

FILE = FileRef(name="f", digest="0" * 64, bytes=1)
CODE = UserCode(reference="mine:Metric", folder="x", digest="1" * 64)
DATA = {"uri": "d.npz", "format": "npz"}
SPEC = {"model": {"name": "m", "uri": "m.keras"}, "calibration": DATA, "variants": ["int8", "uint8", "float16"]}


def artifact(variant: str, bytes_of: str = "") -> Artifact:
    file = FileRef(name="f", digest=digest_json(bytes_of or variant), bytes=1)
    return Artifact(variant=variant, file=file, signatures={})


CHAMPION = artifact("champion")


def ask(ti: Any, variant: str, champion: Artifact | None = CHAMPION, **keys: Any) -> EvaluateRequest:
    """The request for `variant`; `keys` are sections of the spec."""
    spec = parse_spec(SPEC | {"evaluation": DATA | keys.pop("evaluation", {})} | keys)
    pinned = DataRef(**DATA, digest="2" * 64, manifest=FILE)
    model = ModelRef(uri="m.keras", format="keras", digest="3" * 64, files=())
    facts = MetricFacts(name="top1")
    resolved = Resolved(
        spec=spec, model=model, calibration=pinned, evaluation=pinned, metric=facts, metric_code=CODE, preprocess=CODE
    )
    found = {
        ("resolve", "resolved"): resolved,
        ("convert", "return_value"): Converted(artifact=artifact("float32"), saved_model=(), tools={}),
        ("fetch_champion", "return_value"): ChampionFile(version=2 if champion else None, artifact=champion),
    }
    for (task, key), record in found.items():
        ti.values[task, -1, key] = record.to_json()
    ti.values["quantize", 0, "return_value"] = {"quantize/int8": artifact("int8").to_json()}
    ti.map_index = 0
    (request,) = evaluate_files_request(RunRecords(ti), variant).files
    assert request.artifact == artifact(variant)
    assert (request.metric_code, request.preprocess) == (CODE, CODE)
    return request


SEQUENTIAL = {"sequential": True}
LOOKS = {"first_samples": 500}
COMPARED = {"max_drop_from_champion": 0.0}


@dataclass(frozen=True, kw_only=True)
class Row:
    id: str
    variant: str
    evaluation: dict[str, Any]
    samples: int | None


@pytest.mark.parametrize(
    "row",
    [
        Row(id="all", variant="int8", evaluation={}, samples=None),
        Row(id="the cap", variant="int8", evaluation={"max_samples": 50_000}, samples=50_000),
        Row(id="its own cap", variant="int8", evaluation={"max_samples_by_variant": {"int8": 20}}, samples=20),
        Row(id="all, one after the other", variant="int8", evaluation=SEQUENTIAL, samples=None),
        Row(id="baseline, all", variant="float32", evaluation={}, samples=None),
        Row(id="baseline, looks", variant="float32", evaluation=LOOKS, samples=None),
        Row(id="baseline, sequential", variant="float32", evaluation=SEQUENTIAL, samples=REFERENCE_SAMPLES),
        Row(id="champion, sequential", variant="champion", evaluation=SEQUENTIAL, samples=REFERENCE_SAMPLES),
        Row(
            id="baseline, sequential and large cap",
            variant="float32",
            evaluation=SEQUENTIAL | {"max_samples": 50_000},
            samples=REFERENCE_SAMPLES,
        ),
        Row(
            id="baseline, sequential and small cap",
            variant="float32",
            evaluation=SEQUENTIAL | {"max_samples": 40},
            samples=40,
        ),
    ],
    ids=lambda row: row.id,
)
def test_samples_are_capped_by_the_spec_and_references_alone_by_more(ti: Any, row: Row) -> None:
    assert ask(ti, row.variant, evaluation=row.evaluation).max_samples == row.samples


@pytest.mark.parametrize("variant", ["float32", "champion", "int8"])
def test_without_early_ending_nothing_of_the_policy_is_in_the_request(ti: Any, variant: str) -> None:
    request = ask(ti, variant, gate=COMPARED)
    assert (request.stopping, request.references) == (None, ())
    assert ask(ti, variant, gate={"max_drop": 0.5}) == request


@pytest.mark.parametrize("evaluation", [SEQUENTIAL, LOOKS], ids=str)
@pytest.mark.parametrize("variant", ["float32", "champion"])
def test_the_references_own_evaluation_never_ends_early(ti: Any, variant: str, evaluation: dict[str, Any]) -> None:
    request = ask(ti, variant, evaluation=evaluation, gate=COMPARED)
    assert (request.stopping, request.references) == (None, ())


def test_a_variant_runs_beside_what_it_is_compared_with(ti: Any) -> None:
    def roles(gate: dict[str, Any], champion: Artifact | None = CHAMPION) -> list[tuple[str, str]]:
        references = ask(ti, "int8", champion, evaluation=SEQUENTIAL, gate=gate).references
        return [(item.role, item.artifact.variant) for item in references]

    assert roles({}) == [("baseline", "float32")]
    assert roles(COMPARED) == [("baseline", "float32"), ("champion", "champion")]
    assert roles(COMPARED, champion=None) == [("baseline", "float32")]
    assert roles(COMPARED, champion=artifact("champion", bytes_of="int8")) == [("baseline", "float32")]


@pytest.mark.parametrize(("evaluation", "first"), [(SEQUENTIAL, None), (LOOKS, 500)], ids=str)
def test_the_error_rate_is_shared_by_all_that_can_be_promoted(ti: Any, evaluation: dict[str, Any], first: Any) -> None:
    stopping = ask(ti, "int8", evaluation=evaluation).stopping
    assert stopping is not None
    assert (stopping.variants, stopping.first_samples) == (3, first)
    only_two = ask(ti, "int8", evaluation=evaluation, target="edgetpu").stopping
    assert only_two is not None
    assert only_two.variants == 2


ON_SAMPLES = {
    "max_drop": 0.02,
    "confidence": 0.9,
    "max_class_drop": 0.1,
    "min_class_samples": 9,
    "max_prediction_shift": 0.3,
    "min_value": 0.5,
}
ON_FILES = {
    "max_bytes": 9,
    "min_size_ratio": 2,
    "max_latency_ratio": 2,
    "latency_host": "h",
    "integer_only": True,
    "on_reject": "skip",
}


def test_only_what_samples_decide_may_evaluate_anew(ti: Any) -> None:
    def policy(gate: dict[str, Any], champion: Artifact | None = CHAMPION) -> Any:
        stopping = ask(ti, "int8", champion, evaluation=SEQUENTIAL, gate=gate).stopping
        assert stopping is not None
        return stopping.policy.model_dump(exclude_defaults=True)

    assert policy(ON_FILES) == {}
    assert policy(ON_FILES | ON_SAMPLES | COMPARED) == ON_SAMPLES | COMPARED
    assert policy(COMPARED, champion=None) == {}
    assert policy(COMPARED, champion=artifact("champion", bytes_of="int8")) == {}


@pytest.mark.parametrize(
    ("gate", "champion", "files"),
    [
        ({}, CHAMPION, ["float32", "int8"]),
        (COMPARED, None, ["float32", "int8"]),
        (COMPARED, CHAMPION, ["float32", "champion", "int8"]),
    ],
)
def test_a_run_evaluates_all_files_that_there_are(
    ti: Any, gate: dict[str, float], champion: Artifact | None, files: list[str]
) -> None:
    ask(ti, "int8", champion, gate=gate)
    assert [file.artifact.variant for file in evaluate_files_request(RunRecords(ti)).files] == files
