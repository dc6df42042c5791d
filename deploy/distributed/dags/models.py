"""The Airflow DAGs of the spec files beside this file, for two kinds of workers; each host has its own copy.

Converting and evaluating have a queue each, and every evaluation is parted into shards.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from litegate_airflow.dags import Owner, decision_dag, quantize_dags

SPECS = Path(__file__).parent / "model_specs"
OWNER = replace(
    Owner.of_environment(),  # which has the number of shards
    aws_conn_id="s3_models",
    mlflow_conn_id="mlflow_runs",
    queue="convert",
    evaluation_queue="evaluate",
)

quantize_dags(SPECS, OWNER)
decision_dag(SPECS, owner=OWNER)
