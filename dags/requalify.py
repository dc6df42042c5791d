"""One Airflow DAG per spec file that asks for it: look whether the champion still is what it was promoted for."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, CronTriggerTimetable, get_parsing_context

from litegate.spec import Requalify, Spec
from litegate.variants import BASELINE, CHAMPION
from litegate_airflow.events.notify import RunNotifier, concluded
from litegate_airflow.operators.requalify import (
    ActOperator,
    DriftOperator,
    FetchChampionEvidenceOperator,
    RecordOperator,
    RequalifyEvaluateOperator,
    RequalifyGateOperator,
    SnapshotOperator,
)
from litegate_airflow.runtime.spec_files import read_spec_files
from litegate_airflow.ui.task_docs import REQUALIFY, document

ALONE: dict[str, Any] = {"pool": "litegate", "pool_slots": 2}  # the whole pool, as where they were promoted

DOC = """
The champion `{channel}` and its float32 baseline on `{section.uri}`, whatever is there when the run begins: it must
lose at most {section.max_drop:g}, with {section.confidence:g} confidence. A broken limit: {section.on_failure}.
Drift of the data: {section.on_drift}.
"""


def requalify(dag_id: str, path: Path, spec: Spec, section: Requalify) -> None:
    """The DAG of a spec with fresh data."""
    channel = f"{spec.registry.name}@{spec.registry.alias}"
    with DAG(
        dag_id,
        description=f"{channel} on fresh data",
        doc_md=DOC.format(channel=channel, section=section),
        schedule=section.schedule and CronTriggerTimetable(section.schedule, timezone="UTC"),
        catchup=False,
        max_active_runs=1,  # each is a point of one trend
        dagrun_timeout=timedelta(days=1),
        default_args={"retries": 1, "retry_delay": timedelta(seconds=10)},
        tags=["litegate", spec.model.name, "requalify"],
    ) as dag:
        snapshot = SnapshotOperator(task_id="snapshot", spec_path=str(path))
        fetch_champion = FetchChampionEvidenceOperator(task_id="fetch_champion")
        evaluate_baseline = RequalifyEvaluateOperator(task_id="evaluate_baseline", variant=BASELINE, **ALONE)
        evaluate_champion = RequalifyEvaluateOperator(task_id="evaluate_champion", variant=CHAMPION, **ALONE)
        drift = DriftOperator(task_id="drift", pool="litegate")
        gate = RequalifyGateOperator(task_id="gate")
        record = RecordOperator(task_id="record")
        tells = RunNotifier(spec, concluded)
        # As promotion: whoever decides is alone.
        act = ActOperator(task_id="act", on_success_callback=tells, on_failure_callback=tells, **ALONE)

        snapshot >> fetch_champion >> [evaluate_baseline, evaluate_champion]
        evaluate_champion >> drift
        [evaluate_baseline, evaluate_champion] >> gate
        [drift, gate] >> record >> act
    document(dag, REQUALIFY)


wanted = get_parsing_context().dag_id  # set in a worker, which needs only its own DAG
for found in read_spec_files(Path(__file__).parent / "model_specs").values():
    if found.spec is None or found.spec.requalify is None:
        continue
    name = f"requalify__{found.spec.model.name}"
    if wanted in (None, name):
        requalify(name, found.path, found.spec, found.spec.requalify)
