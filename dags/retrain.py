"""One Airflow DAG per spec file with a `retrain` section: train, and so start the quantize DAG by the model's asset."""

from __future__ import annotations

from pathlib import Path

from litegate_airflow.dags import retrain_dags

retrain_dags(Path(__file__).parent / "model_specs")
