"""DAGs by one call: of a spec file or a spec, with what the owner says; and as a group beside other tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG

from litegate.errors import BadInput, SpecError
from litegate.pipeline.tasks import LOOKUP_CACHE, REQUALIFICATION, TASKS, task_of
from litegate.spec import parse_spec
from litegate_airflow.dags import clean_dag, decision_dag, quantize_dag, quantize_group, requalify_dag, retrain_dag
from litegate_airflow.dags.owner import Owner

KEYS: dict[str, Any] = {
    "model": {"name": "m", "uri": "m.keras"},
    "calibration": {"uri": "c.npz", "format": "npz"},
    "evaluation": {"uri": "e.npz", "format": "npz"},
    "gate": {"max_drop_from_champion": 0.01},
    "approval": "human",
    "retrain": {"entry_point": "training:train"},
    "requalify": {"uri": "fresh.npz", "format": "npz"},
}
OWNER = Owner({"owner": "vision", "retries": 5}, pool="gpu_free", pool_slots=3, aws_conn_id="s3", mlflow_conn_id="runs")


@pytest.mark.parametrize("make", [quantize_dag, requalify_dag])
def test_every_task_has_what_the_owner_says(make: Any, tmp_path: Path) -> None:
    dag = make(parse_spec(KEYS), folder=tmp_path, dag_id="theirs", tags=["vision"], owner=OWNER, max_active_runs=7)
    assert (dag.dag_id, dag.max_active_runs) == ("theirs", 7)
    assert {"litegate", "vision"} <= set(dag.tags)
    for task in dag.tasks:
        assert (task.owner, task.retries) == ("vision", 5), task.task_id
        assert (task.aws_conn_id, task.mlflow_conn_id) == ("s3", "runs"), task.task_id
        assert task.pool in ("gpu_free", "default_pool"), task.task_id
    assert {task.pool_slots for task in dag.tasks if task.pool == "gpu_free"} == {1, 3}


@pytest.mark.parametrize(("make", "tasks"), [(quantize_dag, TASKS), (requalify_dag, REQUALIFICATION)])
def test_the_tasks_are_those_of_the_registry(make: Any, tasks: Any) -> None:
    dag = make(parse_spec(KEYS | {"recover": {}}), owner=Owner(evaluation_shards=2))
    assert {task.id for task in tasks} == set(dag.task_dict)
    assert {task.id: task.page for task in tasks} == {name: task.doc_md for name, task in dag.task_dict.items()}


def test_a_spec_s_addresses_are_relative_to_the_folder(tmp_path: Path) -> None:
    dag = quantize_dag(parse_spec(KEYS), folder=tmp_path)
    assert dag.get_task("resolve").source.read().model.uri == str(tmp_path / "m.keras")
    assert dag.get_task("resolve").source.parent == tmp_path


def test_two_groups_stand_in_one_dag_beside_other_tasks() -> None:
    specs = [parse_spec(KEYS | {"model": {"name": name, "uri": f"{name}.keras"}}) for name in ("one", "two")]
    with DAG("mine", schedule=None) as dag:
        before, after = EmptyOperator(task_id="lint"), EmptyOperator(task_id="gate")
        for spec in specs:
            before >> quantize_group(spec, owner=OWNER) >> after
    for name in ("one", "two"):
        assert dag.get_task(f"{name}.resolve").upstream_task_ids == {"lint"}
        gate = dag.get_task(f"{name}.gate")
        assert {each.partition(".")[0] for names in gate.wiring.ids.values() for each in names} == {name}
        assert gate.wiring.one(task_of("lint")) == f"{name}.check"
        lookup = dag.get_task(f"{name}.lookup_cache")
        assert lookup._gate() is gate
        assert {task.task_id.partition(".")[0] for task in lookup._tasks(gate)} == {name}
        assert gate.wiring.one(LOOKUP_CACHE) == lookup.task_id
        assert dag.get_task(f"{name}.decide").downstream_task_ids == {"gate"}
        assert not dag.get_task(f"{name}.resolve").form


def test_airflow_warns_on_the_dag_s_page_of_a_pool_that_does_not_exist() -> None:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag("/dev/null", known_pools={"default_pool"})
    bag.bag_dag(quantize_dag(parse_spec(KEYS), owner=OWNER))
    (warning,) = bag.dag_warnings
    assert warning.message == "Dag 'quantize__m' references non-existent pools: ['gpu_free']"


def test_a_section_that_is_missing_is_named() -> None:
    bare = parse_spec({name: KEYS[name] for name in ("model", "calibration", "evaluation")})
    with pytest.raises(SpecError, match="requalify"):
        requalify_dag(bare)
    with pytest.raises(SpecError, match="retrain"):
        retrain_dag(bare)


def test_the_other_dags_have_it_too(tmp_path: Path) -> None:
    dags = [retrain_dag(parse_spec(KEYS), owner=OWNER), clean_dag(owner=OWNER), decision_dag(tmp_path, OWNER)]
    for dag in filter(None, dags):
        for task in dag.tasks:
            assert (task.owner, task.aws_conn_id) == ("vision", "s3"), dag.dag_id


SHARED = Owner(queue="convert", evaluation_queue="evaluate", evaluation_shards=2)
EVALUATING = {"evaluate_shard", "evaluate", "benchmark", "evaluate_baseline", "evaluate_champion"}


@pytest.mark.parametrize("make", [quantize_dag, requalify_dag, retrain_dag])
def test_what_evaluates_waits_in_a_queue_of_its_own(make: Any) -> None:
    dag = make(parse_spec(KEYS | {"recover": {}}), owner=SHARED)
    queues = {name: task.queue for name, task in dag.task_dict.items()}
    assert queues == {name: "evaluate" if name in EVALUATING else "convert" for name in queues}


def test_one_queue_is_for_all_tasks_and_none_is_airflows_own() -> None:
    def queues(owner: Owner | None) -> set[str]:
        return {task.queue for task in quantize_dag(parse_spec(KEYS), owner=owner).tasks}

    assert queues(Owner(queue="big")) == {"big"}
    assert queues(None) == queues(Owner()) == {"default"}
    assert queues(Owner(evaluation_queue="evaluate")) == {"default", "evaluate"}
    assert queues(Owner({"queue": "theirs"}, queue="big")) == {"theirs"}


def test_shards_are_mapped_between_the_variants_and_what_merges_them() -> None:
    bare, dag = (quantize_dag(parse_spec(KEYS), owner=owner) for owner in (None, Owner(evaluation_shards=3)))
    task = dag.get_task("evaluate_shard")
    assert (task.upstream_task_ids, task.pool_slots) == ({"quantize", "lookup_cache"}, 2)
    assert (task.map_index_template, task.shards) == ("shard {{ task.shard }} of {{ task.shards }}", 3)
    assert dag.get_task("evaluate").upstream_task_ids == {"evaluate_shard"}
    assert set(dag.task_dict) - set(bare.task_dict) == {"evaluate_shard"}
    group = task.get_closest_mapped_task_group()
    assert group is not None
    assert (group.group_id, group._expand_input.value) == ("shard", {"number": [1, 2, 3]})


def test_shards_stand_in_a_group_of_each_model() -> None:
    specs = [parse_spec(KEYS | {"model": {"name": name, "uri": f"{name}.keras"}}) for name in ("one", "two")]
    with DAG("mine", schedule=None) as dag:
        for spec in specs:
            quantize_group(spec, owner=Owner(evaluation_shards=2))
    for name in ("one", "two"):
        assert dag.get_task(f"{name}.evaluate").wiring.one(task_of("evaluate_shard")) == f"{name}.shard.evaluate_shard"
        assert dag.get_task(f"{name}.evaluate")._shards == 2


def test_the_environment_says_it_for_the_files_that_litegate_brings(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Owner.of_environment() == Owner()
    monkeypatch.setenv("LITEGATE_QUEUE", "convert")
    monkeypatch.setenv("LITEGATE_EVALUATION_QUEUE", "evaluate")
    monkeypatch.setenv("LITEGATE_EVALUATION_SHARDS", "4")
    assert Owner.of_environment() == Owner(queue="convert", evaluation_queue="evaluate", evaluation_shards=4)


@pytest.mark.parametrize("shards", ["0", "-1", "two", "1.5"])
def test_shards_that_are_no_number_are_refused(monkeypatch: pytest.MonkeyPatch, shards: str) -> None:
    monkeypatch.setenv("LITEGATE_EVALUATION_SHARDS", shards)
    with pytest.raises(BadInput, match="LITEGATE_EVALUATION_SHARDS: expected a whole number of at least 1, got"):
        Owner.of_environment()
    with pytest.raises(BadInput, match="evaluation_shards: expected at least 1, got 0"):
        Owner(evaluation_shards=0)
