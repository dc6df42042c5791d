"""One Airflow DAG for each thing that a person may decide about a version, with a form to fill in."""

from __future__ import annotations

from pathlib import Path

from litegate_airflow.dags import decision_dags

decision_dags(Path(__file__).parent / "model_specs")
