"""The Airflow DAG `litegate__clean`: remove from the workspace what nothing needs any more."""

from __future__ import annotations

import os

from litegate_airflow.dags import clean_dag

clean_dag(
    days=int(os.environ.get("LITEGATE_CLEAN_DAYS", "30")),
    schedule=os.environ.get("LITEGATE_CLEAN_SCHEDULE"),
)
