from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import ValidationError

from litegate.cli.ended import TaskFailure, outcome_of, pending, read_failures
from litegate.cli.outcome import failed
from litegate.errors import BadInput
from litegate.records import BaselineSummary, Champion, Failure, Promotion, RunResult, VariantRow
from litegate.stack.airflow_api import RunId, TaskState

CHAMPION = Champion(variant="int8", version=3, digest="d" * 64)
OLDER = Champion(variant="float16", version=2, digest="e" * 64)
PROMOTION = Promotion(selected=CHAMPION, champion=CHAMPION, previous=2, moved=True)
BLOCKED = Promotion(
    selected=CHAMPION, champion=OLDER, previous=2, moved=False, state="blocked", why="version 2 is frozen"
)
PENDING = BLOCKED.model_copy(update={"champion": None, "state": "pending_approval", "why": "a person must accept it"})
ROW = VariantRow(
    variant="int8",
    bytes=1000,
    value=0.95,
    drop=0.01,
    drop_low=0.001,
    drop_high=0.02,
    samples=697,
    verdict="passed",
    reasons=(),
    latency_ms=0.05,
    digest="d" * 64,
    uri="s3://x/y",
    mlflow_run_id="r",
)


def result(selected: Champion | None) -> RunResult:
    return RunResult(
        model="m",
        outcome="selected" if selected else "rejected",
        selected=selected,
        baseline=BaselineSummary(bytes=4000, metric="top1", value=0.96, samples=697),
        variants=(ROW,),
        experiment_id="1",
        mlflow_run_id="p",
        report="http://mlflow/#/report",
    )


def without_any(*outcomes: str) -> RunResult:
    rows = tuple(ROW.model_copy(update={"variant": f"v{at}", "outcome": each}) for at, each in enumerate(outcomes))
    return result(None).model_copy(update={"variants": rows})


def failure(task: str, kind: str, variant: str | None = None) -> TaskFailure:
    return TaskFailure(task, Failure(step=task, kind=kind, message=f"{task} {kind}", variant=variant))


@dataclass(frozen=True, kw_only=True)
class Case:
    id: str
    result: RunResult | None = None
    promotion: Promotion | None = None
    failures: tuple[TaskFailure, ...] = ()
    outcome: str = "failed"
    exit_code: int = 1
    error: str | None = None


CASES = (
    Case(id="promoted", result=result(CHAMPION), promotion=PROMOTION, outcome="promoted", exit_code=0),
    Case(
        id="promoted although a variant's task failed",
        result=result(CHAMPION),
        promotion=PROMOTION,
        failures=(failure("quantize", "bad_input", "int8"),),
        outcome="promoted",
        exit_code=0,
    ),
    Case(id="blocked", result=result(CHAMPION), promotion=BLOCKED, outcome="blocked", exit_code=4),
    Case(id="pending approval", result=result(CHAMPION), promotion=PENDING, outcome="pending_approval", exit_code=4),
    Case(
        id="an override run, whose promote task is skipped",
        result=result(None).model_copy(update={"outcome": "override_run"}),
        outcome="override_run",
        exit_code=0,
    ),
    Case(
        id="an override run in which nothing passed",
        result=result(None).model_copy(
            update={"outcome": "override_run", "variants": (ROW.model_copy(update={"outcome": "rejected"}),)}
        ),
        outcome="override_run",
        exit_code=3,
    ),
    Case(
        id="rejected, whose promote task fails on purpose",
        result=without_any("rejected", "failed"),
        failures=(failure("promote", "rejected"),),
        outcome="rejected",
        exit_code=3,
    ),
    Case(
        id="undecided",
        result=without_any("rejected", "undecided"),
        failures=(failure("promote", "rejected"),),
        outcome="undecided",
        exit_code=5,
    ),
    Case(
        id="no variant could be built",
        result=without_any("failed", "failed"),
        failures=(failure("promote", "rejected"),),
        exit_code=6,
        error="no variant could be built and measured",
    ),
    Case(
        id="selected but not promoted",
        result=result(CHAMPION),
        failures=(failure("promote", "infrastructure"),),
        error="promote: promote infrastructure",
    ),
    Case(id="selected, promote never ran", result=result(CHAMPION), error="no task says why"),
    Case(id="bad input", failures=(failure("resolve", "bad_input"),), exit_code=2, error="resolve bad_input"),
    Case(
        id="bad input found after a crash elsewhere",
        failures=(failure("convert", "segfault"), failure("evaluate", "bad_input", "float32")),
        exit_code=2,
        error="evaluate bad_input",
    ),
    Case(
        id="bad input for one variant only",
        failures=(failure("gate", "python_error"), failure("quantize", "bad_input", "int8")),
        error="quantize: quantize bad_input",
    ),
    Case(
        id="a champion that cannot be fetched",
        failures=(failure("fetch_champion", "python_error"),),
        error="fetch_champion: fetch_champion python_error",
    ),
    Case(
        id="a champion that does not fit the data, which are right",
        failures=(
            failure("gate", "no_result"),
            failure("evaluate", "bad_input", "int8"),
            failure("evaluate", "bad_input", "champion"),
        ),
        error="evaluate: evaluate bad_input",
    ),
    Case(
        id="data that fit neither the champion nor the baseline",
        failures=(
            failure("evaluate", "bad_input", "champion"),
            failure("evaluate", "bad_input", "float32"),
        ),
        exit_code=2,
        error="evaluate bad_input",
    ),
    Case(
        id="the first in the flow, not the first to fail",
        failures=(failure("gate", "python_error"), failure("convert", "segfault"), failure("other", "timeout")),
        error="convert: convert segfault",
    ),
    Case(id="nothing at all", error="no task says why"),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_outcome_follows_from_what_the_tasks_left(case):
    found = outcome_of("m", case.result, case.promotion, case.failures)

    assert (found.outcome, found.exit_code) == (case.outcome, case.exit_code)
    assert (found.error or "").endswith(case.error or "")
    assert (found.error is None) == (case.error is None)


def test_the_json_of_a_promotion_names_champion_baseline_and_every_variant():
    found = outcome_of("m", result(CHAMPION), PROMOTION, ()).to_json()

    assert found == {
        "model": "m",
        "state": "promoted",
        "outcome": "promoted",
        "run": None,
        "dag": None,
        "page": None,
        "why": None,
        "champion": {"variant": "int8", "version": 3, "digest": "d" * 64},
        "selected": {"variant": "int8", "version": 3, "digest": "d" * 64},
        "baseline": {
            "bytes": 4000,
            "metric": "top1",
            "higher_is_better": True,
            "percent": True,
            "value": 0.96,
            "samples": 697,
        },
        "variants": [ROW.to_json()],
        "warnings": [],
        "required": [],
        "exit_code": 0,
        "report": "http://mlflow/#/report",
        "deprecated": {"outcome": "state"},
    }
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_the_json_of_a_version_that_is_blocked_names_it_and_the_champion_and_why():
    found = outcome_of("m", result(CHAMPION), BLOCKED, ()).to_json()

    assert (found["state"], found["why"]) == ("blocked", "version 2 is frozen")
    assert (found["outcome"], found["deprecated"]) == ("held", {"outcome": "state"}), "as earlier releases said it"
    assert (found["selected"], found["champion"]) == (CHAMPION.to_json(), OLDER.to_json())


def test_a_run_that_a_person_must_still_accept_waits_before_anything_is_promoted():
    found = pending("m", result(CHAMPION), OLDER, "a person must accept it")

    assert (found.outcome, found.exit_code, found.champion, found.selected) == ("pending_approval", 4, OLDER, CHAMPION)


def test_the_json_of_a_rejection_has_no_champion_but_every_number():
    found = outcome_of("m", without_any("rejected"), None, ()).to_json()

    assert (found["outcome"], found["champion"], found["selected"]) == ("rejected", None, None)
    assert len(found["variants"]) == 1


@pytest.mark.parametrize(
    ("old", "new"), [("waiting", "pending_approval"), ("held", "blocked"), ("promoted", "promoted")]
)
def test_the_promotion_of_a_run_of_an_earlier_release_is_read_and_its_outcome_keeps_its_word(old, new):
    promotion = Promotion.model_validate(PROMOTION.to_json() | {"state": old})
    found = outcome_of("m", result(CHAMPION), promotion, ()).to_json()

    assert (promotion.state, found["state"], found["outcome"]) == (new, new, old)


def test_the_result_of_an_override_run_of_an_earlier_release_is_read():
    assert RunResult.model_validate(result(None).to_json() | {"outcome": "trial"}).outcome == "override_run"


def test_the_json_of_a_failure_says_why_and_claims_no_result():
    found = failed(None, "why", 2).to_json()

    assert found == {
        "model": None,
        "state": "failed",
        "outcome": "failed",
        "run": None,
        "dag": None,
        "page": None,
        "why": None,
        "champion": None,
        "selected": None,
        "baseline": None,
        "variants": [],
        "warnings": [],
        "required": [],
        "exit_code": 2,
        "report": None,
        "error": "why",
        "deprecated": {"outcome": "state"},
    }


def test_the_json_of_a_run_without_any_file_has_the_row_of_every_variant():
    found = outcome_of("m", without_any("failed").model_copy(update={"warnings": ("odd",)}), None, ()).to_json()

    assert (found["outcome"], found["exit_code"], found["error"]) == (
        "failed",
        6,
        "no variant could be built and measured",
    )
    assert ([row["outcome"] for row in found["variants"]], found["warnings"]) == (["failed"], ["odd"])


@pytest.mark.parametrize(
    ("required", "exit_code"), [((), 0), (("v0",), 0), (("v1",), 3), (("v2",), 5), (("v3",), 6), (("v0", "v2"), 5)]
)
def test_required_variants_decide_the_exit_code_of_a_promotion(required, exit_code):
    rows = without_any("passed", "rejected", "undecided", "failed").variants
    promoted = outcome_of("m", result(CHAMPION).model_copy(update={"variants": rows}), PROMOTION, ())
    found = promoted.requiring(required)

    assert (found.outcome, found.exit_code) == ("promoted", exit_code)
    assert (found.to_json()["exit_code"], found.to_json()["required"]) == (exit_code, list(required))


def test_a_required_variant_that_passed_leaves_the_code_of_a_version_that_is_not_champion():
    assert outcome_of("m", result(CHAMPION), PENDING, ()).requiring(["int8"]).exit_code == 4


def test_a_required_variant_is_one_of_the_runs():
    with pytest.raises(BadInput, match="--require: expected one of the run's variants int8, got 'uint8'"):
        outcome_of("m", result(CHAMPION), PROMOTION, ()).requiring(["uint8"])


def test_rows_of_an_earlier_release_say_by_their_numbers_whether_they_were_measured():
    old = {key: value for key, value in ROW.to_json().items() if key != "outcome"} | {"verdict": "failed"}
    assert VariantRow.model_validate(old).outcome == "rejected"
    assert VariantRow.model_validate(old | {"drop": None}).outcome == "failed"
    assert VariantRow.model_validate(old | {"verdict": "inconclusive"}).outcome == "undecided"
    with pytest.raises(ValidationError, match="verdict"):
        VariantRow.model_validate(old | {"verdict": None})


class FailedRun:
    """A run in which one element of a mapped task said why it failed, and another task did not."""

    def xcom(self, run: RunId, task: str, key: str, map_index: int = -1) -> dict[str, Any] | None:
        said = Failure(step="quantize", kind="segfault", message="died", variant="int8")
        return said.to_json() if (task, key, map_index) == ("quantize", "failure", 1) else None

    def log(self, run: RunId, task: TaskState) -> list[str]:
        return ["begins", "Killed"]


def test_a_task_that_failed_without_a_word_is_reported_with_the_end_of_its_log():
    tasks = [
        TaskState("quantize", 0, "float16", "success", 1),
        TaskState("quantize", 1, "int8", "failed", 1),
        TaskState("gate", -1, None, "failed", 1),
        TaskState("register", -1, None, "upstream_failed", 0),
    ]
    said, silent = read_failures(FailedRun(), RunId("d", "r"), tasks)  # type: ignore[arg-type]

    assert (said.failure.kind, said.failure.variant) == ("segfault", "int8")
    assert (silent.task, silent.failure.kind) == ("gate", "unreported")
    assert "Killed" in silent.failure.message
