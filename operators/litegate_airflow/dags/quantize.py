"""The DAG that quantizes a model into every variant, gates, registers and promotes; and the same as a task group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

from airflow.sdk import DAG, TaskGroup, TriggerRule, task_group
from airflow.sdk.definitions.param import ParamsDict

from litegate.errors import SpecError
from litegate.pipeline.requests import calibrated_variants
from litegate.spec import Approval, Spec
from litegate_airflow.dags.owner import Owner
from litegate_airflow.events.deadline import deadlines
from litegate_airflow.events.notify import RunNotifier, asked, decided, judged, promoted
from litegate_airflow.events.schedules import model_asset, model_schedule
from litegate_airflow.operators import (
    ApproveOperator,
    BenchmarkOperator,
    CalibrateOperator,
    CheckOperator,
    ConvertOperator,
    DecideApprovalOperator,
    EvaluateOperator,
    EvaluateShardOperator,
    FetchChampionOperator,
    GateOperator,
    LookupCacheOperator,
    PromoteOperator,
    QuantizeOperator,
    RegisterOperator,
    RequantizeOperator,
    ResolveOperator,
    SampleOperator,
)
from litegate_airflow.runtime.spec_files import SpecLike, SpecSource, read_for_a_task
from litegate_airflow.runtime.wiring import Upstream
from litegate_airflow.ui.doc_page import doc_page
from litegate_airflow.ui.form import form

__all__ = ["broken_dag", "quantize_dag", "quantize_group", "ready_dag"]

UPSTREAM_FIRST = {"weight_rule": "upstream"}
"""A run that is under way is finished before another begins."""

_NAMED = {"map_index_template": "{{ task.variant }}"}
_NUMBERED = {"map_index_template": "shard {{ task.shard }} of {{ task.shards }}"}


def quantize_dag(
    spec: SpecLike,
    *,
    folder: str | Path | None = None,
    dag_id: str = "",
    tags: Iterable[str] = (),
    owner: Owner | None = None,
    **dag: Any,
) -> DAG:
    """The DAG of a spec; the name of the variable that a DAG file gives it does not matter.

    Args:
        spec: a spec file's path, which every run reads again, or a spec.
        folder: that the relative addresses of a spec without a file are in, and its code.
        dag_id: `quantize__<model.name>` if not given.
        tags: beside litegate's own.
        owner: default arguments, pool, queues, shards and connections.
        dag: further arguments of `airflow.sdk.DAG`, in place of litegate's own: `schedule`, `start_date`, ...

    Raises:
        SpecError: the spec cannot be used; Airflow shows it as an import error of the DAG file.
    """
    source = SpecSource.of(spec, folder)
    return _made(source, owner or Owner(), for_a_task=read_for_a_task(), dag_id=dag_id, tags=tags, dag=dag)


def ready_dag(source: SpecSource, owner: Owner) -> DAG:
    """The same as a worker reads it that runs one of its tasks, whoever asks.

    Raises:
        SpecError: the spec cannot be used.
    """
    return _made(source, owner, for_a_task=True)


def _made(
    source: SpecSource,
    owner: Owner,
    *,
    for_a_task: bool,
    dag_id: str = "",
    tags: Iterable[str] = (),
    dag: Mapping[str, Any] = MappingProxyType({}),
) -> DAG:
    read = source.parsed or source.read()
    own = {
        "description": f"{read.model.name} for {read.target}: {', '.join(read.variants)}",
        "doc_md": doc_page(source.name, read, source.digest),
        "schedule": model_schedule(read, owner.aws_conn_id),
        "catchup": False,
        "dagrun_timeout": timedelta(days=1, hours=read.approval.timeout_hours if read.approval else 0),
        "deadline": deadlines(read),
        "default_args": owner.defaults(**UPSTREAM_FIRST),
        "params": form(read),
        "tags": ["litegate", "quantize", read.model.name, read.target, *tags],
    }
    arguments: dict[str, Any] = {**own, **dag}
    params = arguments.pop("params")
    with DAG(dag_id or f"quantize__{read.model.name}", **arguments) as made:
        _tasks(source, read, owner, prefixed=False)
    # Each task would be given a copy of its own, at most of the cost of the parse; a run merges the DAG's in anyway.
    if for_a_task:
        object.__setattr__(made, "params", ParamsDict(params))  # they were validated when the run was made
    else:
        made.params = params
    return made


def quantize_group(
    spec: SpecLike,
    *,
    folder: str | Path | None = None,
    group_id: str = "",
    owner: Owner | None = None,
) -> TaskGroup:
    """The same tasks as a group in a DAG of one's own, which may stand before and after other tasks.

    Every run promotes by the spec as it is; there is no form.

    Args:
        group_id: the model's name if not given.

    Raises:
        SpecError: the spec cannot be used.
    """
    source, owner = SpecSource.of(spec, folder), owner or Owner()
    read = source.parsed or source.read()
    defaults: Any = owner.defaults(**UPSTREAM_FIRST)
    with TaskGroup(group_id or read.model.name, default_args=defaults) as group:
        _tasks(source, read, owner, prefixed=True)
    return group


def broken_dag(dag_id: str, path: Path, problem: SpecError | None) -> DAG:
    """The DAG of a spec file that cannot be used: it is there to say why, and takes no other down."""
    with DAG(dag_id, schedule=None, catchup=False, doc_md=str(problem), tags=["litegate", "broken-spec"]) as made:
        ResolveOperator(spec=path, problem=problem)
    return made


def _tasks(source: SpecSource, spec: Spec, owner: Owner, *, prefixed: bool) -> None:
    """The tasks in the DAG or the group at hand."""
    inlets = [model_asset(spec, owner.aws_conn_id)]
    resolve = ResolveOperator(spec=source, form=not prefixed, inlets=inlets, **owner.heavy)
    compares = spec.gate.max_drop_from_champion is not None
    pinned = [FetchChampionOperator(upstream=resolve)] if compares else []
    lookup_cache = LookupCacheOperator(upstream=[resolve, *pinned])
    convert = ConvertOperator(upstream=lookup_cache, **owner.heavy)
    sample = SampleOperator(upstream=convert, **owner.heavy)
    check = CheckOperator(upstream=sample, **owner.heavy)
    calibrate = [CalibrateOperator(upstream=sample, **owner.heavy)] if calibrated_variants(spec) else []
    variants = _variants([check, *calibrate], owner, prefixed=prefixed).expand(name=lookup_cache.output)
    quantized = _shards([variants, lookup_cache], owner, prefixed=prefixed) if owner.evaluation_shards > 1 else variants
    # Other trigger rules forbid what has failed, or what is skipped.
    evaluate = EvaluateOperator(upstream=quantized, trigger_rule=TriggerRule.ALL_DONE, **owner.evaluating)
    recover = _recoveries(evaluate, spec, owner, prefixed=prefixed)
    # What is skipped or has failed there says nothing about the others.
    rule = {"trigger_rule": TriggerRule.ALL_DONE} if recover else {}
    benchmark = BenchmarkOperator(upstream=[evaluate, *recover], **rule, **owner.evaluating)
    gate = GateOperator(upstream=benchmark, trigger_rule=TriggerRule.ALL_DONE)
    register = RegisterOperator(upstream=gate, on_success_callback=RunNotifier(spec, judged))
    promote = PromoteOperator(upstream=register, on_success_callback=RunNotifier(spec, promoted))
    if spec.approval is not None:
        _approval(promote, spec, spec.approval)


def _variants(before: Upstream, owner: Owner, *, prefixed: bool) -> Any:
    """What each variant goes through; one that fails does not stop the others."""

    @task_group(group_id="variant", prefix_group_id=prefixed, default_args=_NAMED)
    def variant(name: str) -> None:
        QuantizeOperator(upstream=before, variant=name, **owner.heavy)

    return variant


def _shards(before: Upstream, owner: Owner, *, prefixed: bool) -> Any:
    """All files on a part of the evaluation data each."""
    count = owner.evaluation_shards

    @task_group(group_id="shard", prefix_group_id=prefixed, default_args=_NUMBERED)
    def shard(number: int) -> None:
        rule, arguments = TriggerRule.ALL_DONE, owner.evaluating
        EvaluateShardOperator(upstream=before, shard=number, shards=count, trigger_rule=rule, **arguments)

    return shard.expand(number=list(range(1, count + 1)))


def _recoveries(evaluate: EvaluateOperator, spec: Spec, owner: Owner, *, prefixed: bool) -> list[Any]:
    """Files that are made one after the other, where those before did not pass; no group where the spec has none."""

    @task_group(group_id="recover", prefix_group_id=prefixed, default_args=_NAMED)
    def recover(name: str) -> None:
        RequantizeOperator(upstream=evaluate, variant=name, max_active_tis_per_dagrun=1, **owner.alone)

    return [recover.expand(name=list(spec.recoveries))] if spec.recoveries else []


def _approval(promote: PromoteOperator, spec: Spec, asks: Approval) -> None:
    """Ask a person, and record the answer."""
    approve = ApproveOperator(upstream=promote, approval=asks, notifiers=RunNotifier(spec, asked))
    tells = RunNotifier(spec, decided)
    DecideApprovalOperator(
        upstream=approve,
        on_success_callback=tells,
        on_failure_callback=tells,
        on_skipped_callback=tells,
    )
