"""DAGs for a spec, made by one call from a DAG file: with the owner's `default_args`, pool, tags and connections.

Airflow reads a DAG file only if its text has the words `airflow` and `dag`, which an import from here gives it.
"""

from __future__ import annotations

from litegate_airflow.dags.clean import clean_dag
from litegate_airflow.dags.decide import decision_dag, decision_dags
from litegate_airflow.dags.example import example_dags
from litegate_airflow.dags.of_files import quantize_dags, requalify_dags, retrain_dags
from litegate_airflow.dags.owner import Owner
from litegate_airflow.dags.quantize import quantize_dag, quantize_group
from litegate_airflow.dags.requalify import requalify_dag
from litegate_airflow.dags.retrain import retrain_dag

__all__ = [
    "Owner",
    "clean_dag",
    "decision_dag",
    "decision_dags",
    "example_dags",
    "quantize_dag",
    "quantize_dags",
    "quantize_group",
    "requalify_dag",
    "requalify_dags",
    "retrain_dag",
    "retrain_dags",
]
