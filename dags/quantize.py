"""One Airflow DAG per spec file: quantize a model into every variant, gate, register and promote."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, TaskGroup, TriggerRule, get_parsing_context, task_group

from litegate.errors import SpecError
from litegate.spec import Approval, Spec
from litegate.variants import BASELINE, CHAMPION
from litegate_airflow.events.deadline import deadlines
from litegate_airflow.events.notify import RunNotifier, asked, decided, judged, promoted
from litegate_airflow.events.schedules import model_asset, model_schedule
from litegate_airflow.operators.approve import ApproveOperator
from litegate_airflow.operators.benchmark import BenchmarkOperator
from litegate_airflow.operators.champion import FetchChampionOperator
from litegate_airflow.operators.check_conversion import CheckConversionOperator
from litegate_airflow.operators.convert import ConvertOperator
from litegate_airflow.operators.decide_approval import DecideApprovalOperator
from litegate_airflow.operators.evaluate import EvaluateOperator
from litegate_airflow.operators.gate import GateOperator
from litegate_airflow.operators.inspect import InspectOperator
from litegate_airflow.operators.lint import LintOperator
from litegate_airflow.operators.lookup_cache import LookupCacheOperator
from litegate_airflow.operators.promote import PromoteOperator
from litegate_airflow.operators.quantize import QuantizeOperator
from litegate_airflow.operators.read_ledger import ReadLedgerOperator
from litegate_airflow.operators.register import RegisterOperator
from litegate_airflow.operators.resolve import ResolveOperator
from litegate_airflow.operators.sample import SampleOperator
from litegate_airflow.operators.select import SelectOperator
from litegate_airflow.runtime.spec_files import SpecFile, read_spec_files
from litegate_airflow.ui.doc_page import doc_page
from litegate_airflow.ui.form import form
from litegate_airflow.ui.links import link
from litegate_airflow.ui.task_docs import QUANTIZE, document

HEAVY: dict[str, Any] = {"pool": "litegate"}
ALONE: dict[str, Any] = {"pool": "litegate", "pool_slots": 2}  # the whole pool: what is measured must not be disturbed
DEFAULTS: dict[str, Any] = {
    "retries": 1,
    "retry_delay": timedelta(seconds=10),
    "weight_rule": "upstream",  # a run that is under way is finished before another begins
}


def quantize(dag_id: str, path: Path, spec: Spec) -> None:
    """The DAG of a good spec file."""
    with DAG(
        dag_id,
        description=f"{spec.model.name} for {spec.target}: {', '.join(spec.variants)}",
        doc_md=doc_page(path, spec),
        schedule=model_schedule(spec),
        catchup=False,
        dagrun_timeout=timedelta(days=1, hours=spec.approval.timeout_hours if spec.approval else 0),
        deadline=deadlines(spec),
        default_args=DEFAULTS,
        params=form(spec),
        tags=["litegate", "quantize", spec.model.name, spec.target],
    ) as dag:
        resolve = ResolveOperator(task_id="resolve", spec_path=str(path), inlets=[model_asset(spec)], **HEAVY)
        lookup_cache = LookupCacheOperator(task_id="lookup_cache", before="gate")
        convert = ConvertOperator(task_id="convert", **HEAVY)
        sample = SampleOperator(task_id="sample", **HEAVY)
        with TaskGroup("checks", prefix_group_id=False) as checks:
            LintOperator(task_id="lint", **HEAVY)
            CheckConversionOperator(task_id="check_conversion", **HEAVY)
            InspectOperator(task_id="inspect_baseline", variant=BASELINE, **HEAVY)
        with TaskGroup("references", prefix_group_id=False) as references:
            EvaluateOperator(task_id="evaluate_baseline", variant=BASELINE, **ALONE)
            BenchmarkOperator(task_id="benchmark_baseline", variant=BASELINE, **ALONE)
        variants = variant.expand(name=lookup_cache.output)
        gate = GateOperator(task_id="gate", trigger_rule=TriggerRule.ALL_DONE)  # others forbid what is skipped
        select = SelectOperator(task_id="select")
        register = RegisterOperator(task_id="register", on_success_callback=RunNotifier(spec, judged))
        promote = PromoteOperator(task_id="promote", on_success_callback=RunNotifier(spec, promoted), **ALONE)

        if spec.gate.max_drop_from_champion is not None:
            resolve >> FetchChampionOperator(task_id="fetch_champion") >> lookup_cache
            EvaluateOperator(task_id="evaluate_champion", variant=CHAMPION, task_group=references, **ALONE)
        resolve >> lookup_cache >> convert >> sample >> checks >> [references, variants] >> gate
        gate >> select >> register >> promote
        resolve >> ReadLedgerOperator(task_id="read_ledger") >> register
        if spec.approval is not None:
            promote >> approval(spec, spec.approval)
    document(dag, QUANTIZE)
    link(dag)


def approval(spec: Spec, asks: Approval) -> ApproveOperator:
    """Ask a person, and record the answer; returns the task that asks."""
    approve = ApproveOperator(task_id="approve", approval=asks, notifiers=RunNotifier(spec, asked))
    tells = RunNotifier(spec, decided)
    decide = DecideApprovalOperator(
        task_id="decide",
        on_success_callback=tells,
        on_failure_callback=tells,
        on_skipped_callback=tells,
        **ALONE,
    )
    approve >> decide
    return approve


@task_group(group_id="variant", default_args={"map_index_template": "{{ task.variant }}"})
def variant(name: str) -> None:
    """What each variant goes through; one that fails does not stop the others."""
    quantize = QuantizeOperator(task_id="quantize", variant=name, **HEAVY)
    inspect = InspectOperator(task_id="inspect", variant=name, **HEAVY)
    evaluate = EvaluateOperator(task_id="evaluate", variant=name, **ALONE)
    benchmark = BenchmarkOperator(task_id="benchmark", variant=name, **ALONE)
    quantize >> inspect >> evaluate >> benchmark


def broken(dag_id: str, path: Path, problem: SpecError | None) -> None:
    """The DAG of a spec file that cannot be used: it is there to say why, and takes no other down."""
    with DAG(dag_id, schedule=None, catchup=False, doc_md=str(problem), tags=["litegate", "broken-spec"]):
        ResolveOperator(task_id="resolve", spec_path=str(path), problem=problem)


def build(item: SpecFile) -> None:
    """The DAG of a spec file, good or broken."""
    if item.spec is None:
        broken(item.dag_id, item.path, item.problem)
    else:
        quantize(item.dag_id, item.path, item.spec)


wanted = get_parsing_context().dag_id  # set in a worker, which needs only its own DAG
for found in read_spec_files(Path(__file__).parent / "model_specs").values():
    if wanted in (None, found.dag_id):
        build(found)
