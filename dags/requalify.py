"""One Airflow DAG per spec file that asks for it: look whether the champion still is what it was promoted for."""

from __future__ import annotations

from pathlib import Path

from litegate_airflow.dags import requalify_dags

requalify_dags(Path(__file__).parent / "model_specs")
