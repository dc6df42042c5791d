"""The Airflow DAG `litegate__clean`: remove from the workspace what nothing needs any more."""

from __future__ import annotations

import os
from datetime import timedelta

from airflow.sdk import DAG, CronTriggerTimetable, Param

from litegate.records import LEAST_DAYS
from litegate_airflow.operators.clean import CleanOperator

schedule = os.environ.get("LITEGATE_CLEAN_SCHEDULE")

with DAG(
    "litegate__clean",
    description="Remove results and files that no registered version, ledger entry or recent run needs.",
    doc_md="Looks through the workspace for what no registered version, ledger entry or recent run needs. A manual "
    "run says what it would delete, unless *Dry run* is switched off in its form; a scheduled one deletes. The task's "
    "log names what it was, and it leaves how much.",
    schedule=CronTriggerTimetable(schedule, timezone="UTC") if schedule else None,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=7),
    default_args={"retries": 1, "retry_delay": timedelta(minutes=1)},
    params={
        "days": Param(
            int(os.environ.get("LITEGATE_CLEAN_DAYS", "30")),
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
    },
    tags=["litegate", "clean"],
):
    CleanOperator(
        task_id="clean",
        days="{{ params.days }}",
        apply="{{ not params.dry_run or dag_run.run_type == 'scheduled' }}",
    )
