"""Addresses of the pages that people are sent to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from airflow.sdk import conf

from litegate.records import Requalification, RunResult
from litegate.surroundings import variables

if TYPE_CHECKING:
    from airflow.sdk.types import RuntimeTaskInstanceProtocol

__all__ = ["answer_page", "mlflow_page", "mlflow_url", "run_page", "run_url"]


def run_url(ti: RuntimeTaskInstanceProtocol) -> str:
    """The page of a task's DAG run in Airflow's user interface."""
    return run_page(ti.dag_id, str(ti.run_id))


def run_page(dag_id: str, run_id: str) -> str:
    """The page of a DAG run in Airflow's user interface."""
    base = os.environ.get("LITEGATE_AIRFLOW_URL") or conf.get("api", "base_url", fallback="")
    return f"{base.rstrip('/')}/dags/{dag_id}/runs/{quote(run_id, safe=':+')}"


def answer_page(ti: RuntimeTaskInstanceProtocol, task_id: str) -> str:
    """Where a task's question is answered."""
    return f"{run_url(ti)}/tasks/{task_id}/required_actions"


def mlflow_page(result: RunResult | Requalification) -> str:
    """The run's page in MLflow's user interface."""
    return mlflow_url(f"experiments/{result.experiment_id}/runs/{result.mlflow_run_id}")


def mlflow_url(path: str) -> str:
    """A page of MLflow's user interface where people reach it, without the credentials that an address may hold."""
    url = urlsplit(os.environ.get("LITEGATE_MLFLOW_URL") or variables().get("MLFLOW_TRACKING_URI", ""))
    base = url._replace(netloc=url.netloc.rpartition("@")[2]).geturl().rstrip("/")
    return f"{base}/#/{path}?workflowType=machine_learning"
