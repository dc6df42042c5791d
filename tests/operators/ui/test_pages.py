"""The link back from MLflow to Airflow."""

from __future__ import annotations

from typing import Any

import pytest

from litegate_airflow.ui.pages import run_url

PAGE = "/dags/quantize__m/runs/manual__2026-01-01T00:00:00+00:00"


def test_a_run_is_linked_at_the_address_that_people_use(ti: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITEGATE_AIRFLOW_URL", "https://airflow.example/")
    assert run_url(ti) == f"https://airflow.example{PAGE}"


def test_a_run_is_linked_by_airflows_own_setting_otherwise(ti: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LITEGATE_AIRFLOW_URL", raising=False)
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "http://127.0.0.1:9999")
    assert run_url(ti) == f"http://127.0.0.1:9999{PAGE}"
