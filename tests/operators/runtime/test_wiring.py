"""Operators find each other by what they are given, under whatever ids; what is missing shows at parsing."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.sdk import DAG, TaskGroup

from litegate.pipeline.tasks import REQUALIFICATION, task_of
from litegate_airflow.operators import (
    CheckOperator,
    ConvertOperator,
    EvaluateOperator,
    GateOperator,
    QuantizeOperator,
    ResolveOperator,
    SampleOperator,
    SnapshotOperator,
)
from litegate_airflow.runtime.run_records import RunRecords


@pytest.fixture
def dag() -> Any:
    with DAG("mine", schedule=None) as made:
        yield made


def test_an_operator_knows_all_that_its_upstream_comes_after(dag: DAG) -> None:
    with TaskGroup("first"):
        spec = ResolveOperator(task_id="read", spec="m.yaml")
    float32 = ConvertOperator(task_id="to_float", upstream=spec)
    picked = SampleOperator(task_id="pick", upstream=float32)
    assert picked.wiring.one(task_of("resolve")) == "first.read"
    assert picked.wiring.one(task_of("convert")) == "to_float"
    assert picked.upstream_task_ids == {"to_float"}
    assert spec.downstream_task_ids == {"to_float"}


def test_output_and_groups_stand_for_their_tasks(dag: DAG) -> None:
    spec = ResolveOperator(spec="m.yaml")
    sample = SampleOperator(upstream=ConvertOperator(upstream=spec.output))
    with TaskGroup("checks") as checks:
        CheckOperator(upstream=sample)
        QuantizeOperator(task_id="one", upstream=sample, variant="int8")
    evaluate = EvaluateOperator(upstream=checks)
    assert evaluate.upstream_task_ids == {"checks.check", "checks.one"}
    assert evaluate.wiring.one(task_of("lint")) == "checks.check"


def test_what_is_missing_is_named_when_the_dag_is_parsed(dag: DAG) -> None:
    spec = ResolveOperator(spec="m.yaml")
    with pytest.raises(ValueError, match="the task sample needs the result of 'convert'"):
        SampleOperator(upstream=spec)
    with pytest.raises(ValueError, match=r"'check', 'evaluate'"):
        GateOperator()


def test_two_tasks_that_do_the_same_are_refused(dag: DAG) -> None:
    one = ConvertOperator(task_id="a", upstream=ResolveOperator(task_id="x", spec="m.yaml"))
    two = ConvertOperator(task_id="b", upstream=ResolveOperator(task_id="y", spec="m.yaml"))
    with pytest.raises(ValueError, match="two tasks upstream of which each does 'resolve': 'x', 'y'"):
        SampleOperator(upstream=[one, two])


def test_variants_need_not_be_mapped(dag: DAG) -> None:
    """Each knows its own, and what comes after them all."""
    sample = SampleOperator(upstream=ConvertOperator(upstream=ResolveOperator(spec="m.yaml")))
    made = [QuantizeOperator(task_id=name, upstream=sample, variant=name) for name in ("int8", "float16")]
    evaluate = EvaluateOperator(upstream=made)
    gate = GateOperator(upstream=[evaluate, CheckOperator(upstream=sample)])
    quantize = task_of("quantize", "int8")
    assert [each.wiring.one(quantize) for each in made] == ["int8", "float16"]
    assert evaluate.wiring.all(quantize) == gate.wiring.all(quantize) == ("int8", "float16")


def test_what_cannot_be_upstream_is_refused(dag: DAG) -> None:
    with pytest.raises(TypeError, match="expected operators, their output or task groups, got 'resolve'"):
        ConvertOperator(upstream="resolve")
    mapped = QuantizeOperator.partial(task_id="many").expand(variant=["int8", "float16"])
    with pytest.raises(TypeError, match="of mapped tasks their mapped task group"):
        SampleOperator(upstream=[mapped])


def test_an_operator_of_one_kind_of_run_knows_nothing_of_another(dag: DAG) -> None:
    snapshot = SnapshotOperator(spec="m.yaml", upstream=ResolveOperator(spec="m.yaml"))
    assert set(snapshot.wiring.ids) == {REQUALIFICATION[0]}
    assert snapshot.upstream_task_ids == {"resolve"}


def test_a_run_is_named_by_the_task_that_begins_it_where_that_has_a_name_of_its_own(dag: DAG, ti: Any) -> None:
    ti.task = ResolveOperator(spec="m.yaml")
    assert RunRecords(ti).run_key() == f"{ti.dag_id}/{ti.run_id}"
    with TaskGroup("digits"):
        ti.task = ResolveOperator(spec="m.yaml")
    assert RunRecords(ti).run_key() == f"{ti.dag_id}/{ti.run_id}/digits.resolve"
