"""The group `shard`: files on parts of the evaluation data, which `evaluate` merges."""

from __future__ import annotations

import pytest

from litegate.errors import BadInput
from tests.dags.pretended import CRASH, EVERYTHING, Outcome, Run, Steps
from tests.dags.test_graph_lookup_cache import FLOW


def states(outcome: Outcome) -> set[str]:
    """Of the shards, which may have no name where they never began."""
    found = [str(instance.state) for name, instance in outcome.tasks.items() if name.startswith("evaluate_shard/")]
    assert len(found) == 2
    return set(found)


SHARDS = ("evaluate_shard/shard 1 of 2", "evaluate_shard/shard 2 of 2")
FILES = ["float32", "dynamic_range", "int8"]


@pytest.fixture(autouse=True)
def two_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITEGATE_EVALUATION_SHARDS", "2")


def test_each_shard_is_evaluated_and_all_are_merged(run_flow: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITEGATE_MLFLOW_URL", "https://mlflow.example/")
    outcome = run_flow(Steps())
    assert {str(instance.state) for instance in outcome.tasks.values()} == {"success"}
    requests = outcome.steps.requests
    for number, task in enumerate(SHARDS, 1):
        assert "/runs/run-1" in outcome.pull(task, "_link_RunLink")
        assert list(outcome.pull(task)) == [f"evaluate_shard/{name}" for name in FILES]
        assert {name for step, name in requests if step == f"evaluate_shard {number}"} == set(FILES)
    assert {len(requests["evaluate", name].shards) for name in FILES} == {2}
    assert outcome.pull("promote")["champion"]["variant"] == "dynamic_range"
    assert "" in outcome.steps.labels, "what merging takes is not kept as the time of an evaluation"


def test_a_file_that_fails_in_a_shard_fails_alone(run_flow: Run) -> None:
    outcome = run_flow(Steps({("evaluate_shard 2", "int8"): CRASH}))
    assert {outcome.state(task) for task in (*SHARDS, "evaluate", "register")} == {"success"}
    assert ("evaluate", "int8") not in outcome.steps.requests
    (failure,) = outcome.steps.requests["gate", ""].failures
    assert (failure.step, failure.variant, failure.kind) == ("evaluate", "int8", "segfault")
    assert outcome.pull("promote")["champion"]["variant"] == "dynamic_range"


def test_nothing_is_judged_without_a_baseline_on_every_shard(run_flow: Run) -> None:
    outcome = run_flow(Steps({("evaluate_shard 1", "float32"): CRASH}))
    assert (outcome.state("evaluate"), outcome.state("gate")) == ("failed", "failed")
    assert outcome.pull("evaluate", "failure")["variant"] == "float32"
    assert not [name for step, name in outcome.steps.requests if step == "evaluate"]


def test_a_shard_that_fails_as_a_whole_fails_the_run(run_flow: Run) -> None:
    outcome = run_flow(Steps({("evaluate_shard", ""): BadInput("evaluation.uri", "samples", "none")}))
    assert {outcome.state(task) for task in SHARDS} == {"failed"}
    ends = {"evaluate": "skipped", "benchmark": "skipped", "gate": "failed", "promote": "upstream_failed"}
    assert {task: outcome.state(task) for task in ends} == ends
    assert outcome.pull(SHARDS[0], "failure")["kind"] == "bad_input"
    assert outcome.note == "evaluate_shard failed: evaluation.uri: expected samples, got none"


def test_nothing_is_evaluated_where_a_check_refuses_what_it_sees(run_flow: Run) -> None:
    outcome = run_flow(Steps({("lint", "float32"): BadInput("calibration.uri", "samples", "others")}))
    assert {outcome.state(task) for task in (*SHARDS, "evaluate")} == {"skipped"}
    assert outcome.state("gate") == "failed"


def test_a_run_whose_results_are_all_there_skips_the_shards_too(run_flow: Run) -> None:
    outcome = run_flow(Steps(known={EVERYTHING}))
    assert {outcome.state(task) for task in FLOW} == states(outcome) == {"skipped"}
    assert outcome.state("promote") == "success"


def test_files_that_were_evaluated_before_are_not_evaluated_again(run_flow: Run) -> None:
    outcome = run_flow(Steps(known={("evaluate", "float32"), ("evaluate", "dynamic_range")}))
    assert {name for step, name in outcome.steps.requests if step.startswith("evaluate")} == {"int8"}
    every = {("evaluate", name) for name in FILES}
    outcome = run_flow(Steps(known=every))
    assert states(outcome) == {"skipped"}
    assert outcome.state("evaluate") == outcome.state("benchmark") == "success"


def test_a_shard_whose_result_is_gone_costs_an_evaluation_at_once(run_flow: Run) -> None:
    class Forgetful(Steps):
        def find_each(self) -> tuple[object, ...]:
            found = super().find_each()
            gone = ("evaluate_shard 2", "int8")
            return tuple(None if part == gone else each for part, each in zip(self.parts, found, strict=True))

    outcome = run_flow(Forgetful())
    assert outcome.state("evaluate") == "success"
    shards = {name: len(outcome.steps.requests["evaluate", name].shards) for name in FILES}
    assert shards == {"float32": 2, "dynamic_range": 2, "int8": 0}


@pytest.mark.parametrize("early", [", sequential: true", ", first_samples: 30"])
def test_what_may_end_early_is_evaluated_in_one_task(run_flow: Run, early: str) -> None:
    outcome = run_flow(Steps(), evaluation=early)
    assert states(outcome) == {"skipped"}
    assert outcome.state("evaluate") == outcome.state("promote") == "success"
    assert {len(outcome.steps.requests["evaluate", name].shards) for name in FILES} == {0}
