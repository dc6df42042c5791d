"""One Airflow DAG per spec file: quantize a model into every variant, gate, register and promote."""

from __future__ import annotations

from pathlib import Path

from litegate_airflow.dags import quantize_dags

quantize_dags(Path(__file__).parent / "model_specs")
