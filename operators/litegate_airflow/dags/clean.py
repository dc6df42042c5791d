"""The DAG that removes from the workspace what nothing needs any more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, CronTriggerTimetable, Param

from litegate.records import LEAST_DAYS
from litegate_airflow.dags.owner import Owner
from litegate_airflow.operators.clean import CleanOperator

__all__ = ["clean_dag"]


def clean_dag(
    *,
    days: int = 30,
    schedule: str | None = None,
    dag_id: str = "workspace_clean",
    owner: Owner | None = None,
    **dag: Any,
) -> DAG:
    """The DAG `workspace_clean`.

    Args:
        days: what was used within so many stays.
        schedule: a cron expression (UTC). A scheduled run deletes; a manual one says what it would delete.
        owner: default arguments and connections.
        dag: further arguments of `airflow.sdk.DAG`.
    """
    own = {
        "description": "Remove results and files that no registered version, ledger entry or recent run needs.",
        "doc_md": "Looks through the workspace for what no registered version, ledger entry or recent run needs. A "
        "manual run says what it would delete, unless *Dry run* is switched off in its form; a scheduled one deletes. "
        "The task's log names what it was, and it leaves how much.",
        "schedule": CronTriggerTimetable(schedule, timezone="UTC") if schedule else None,
        "catchup": False,
        "max_active_runs": 1,
        "dagrun_timeout": timedelta(hours=7),
        "default_args": (owner or Owner()).defaults(retry_delay=timedelta(minutes=1)),
        "params": _form(days),
        "tags": ["litegate", "administration"],
    }
    with DAG(dag_id, **{**own, **dag}) as made:
        CleanOperator(
            task_id="clean",
            days="{{ params.days }}",
            apply="{{ not params.dry_run or dag_run.run_type == 'scheduled' }}",
        )
    return made


def _form(days: int) -> dict[str, Param]:
    return {
        "days": Param(
            days,
            type="integer",
            minimum=LEAST_DAYS,
            title="Days",
            description="What was used within so many days stays.",
        ),
        "dry_run": Param(
            True,
            type="boolean",
            title="Dry run",
            description="Only say what would be deleted. Scheduled runs delete.",
        ),
    }
