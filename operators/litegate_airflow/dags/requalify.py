"""The DAG that looks whether the champion still is what it was promoted for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, CronTriggerTimetable

from litegate.errors import SpecError
from litegate.spec import Spec
from litegate.variants import BASELINE, CHAMPION
from litegate_airflow.dags.owner import Owner
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
from litegate_airflow.runtime.spec_files import SpecLike, SpecSource

__all__ = ["requalify_dag"]

DOC = """
The champion `{channel}` and its float32 baseline on `{section.uri}`, whatever is there when the run begins: it must
lose at most {section.max_drop:g}, with {section.confidence:g} confidence. A broken limit: {section.on_failure}.
Drift of the data: {section.on_drift}.
"""


def requalify_dag(
    spec: SpecLike,
    *,
    folder: str | Path | None = None,
    dag_id: str = "",
    tags: Iterable[str] = (),
    owner: Owner | None = None,
    **dag: Any,
) -> DAG:
    """The DAG of a spec with a section `requalify`, `requalify__<model.name>`; the arguments are as of `quantize_dag`.

    Raises:
        SpecError: the spec cannot be used, or has no such section.
    """
    source, owner = SpecSource.of(spec, folder), owner or Owner()
    read = source.parsed or source.read()
    section = read.requalify
    if section is None:
        raise SpecError(f"{source.name}: requalify", "the section with the fresh data", "nothing")
    channel = f"{read.registry.name}@{read.registry.alias}"
    own = {
        "description": f"{channel} on fresh data",
        "doc_md": DOC.format(channel=channel, section=section),
        "schedule": section.schedule and CronTriggerTimetable(section.schedule, timezone="UTC"),
        "catchup": False,
        "max_active_runs": 1,  # each is a point of one trend
        "dagrun_timeout": timedelta(days=1),
        "default_args": owner.defaults(),
        "tags": ["litegate", read.model.name, "requalify", *tags],
    }
    with DAG(dag_id or f"requalify__{read.model.name}", **{**own, **dag}) as made:
        _tasks(source, read, owner)
    return made


def _tasks(source: SpecSource, spec: Spec, owner: Owner) -> None:
    snapshot = SnapshotOperator(spec=source)
    fetch_champion = FetchChampionEvidenceOperator(upstream=snapshot)
    # The whole pool, as where they were promoted.
    baseline = RequalifyEvaluateOperator(upstream=fetch_champion, variant=BASELINE, **owner.evaluating)
    champion = RequalifyEvaluateOperator(upstream=fetch_champion, variant=CHAMPION, **owner.evaluating)
    drift = DriftOperator(upstream=champion, **owner.heavy)
    gate = RequalifyGateOperator(upstream=[baseline, champion])
    record = RecordOperator(upstream=[drift, gate])
    tells = RunNotifier(spec, concluded)
    # As promotion: whoever decides is alone.
    ActOperator(upstream=record, on_success_callback=tells, on_failure_callback=tells, **owner.alone)
