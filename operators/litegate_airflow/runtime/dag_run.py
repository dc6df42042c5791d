"""Who started a DAG run, for when, and with what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from litegate.records import RunOrigin

if TYPE_CHECKING:
    from airflow.sdk.types import RuntimeTaskInstanceProtocol

__all__ = ["actor", "conf", "moment", "origin"]


def actor(ti: RuntimeTaskInstanceProtocol) -> str:
    """The DAG run, and the person who triggered it, if one did."""
    person = ti.get_template_context()["dag_run"].triggering_user_name
    return f"{ti.dag_id}/{ti.run_id}" + (f" (triggered by {person})" if person else "")


def moment(ti: RuntimeTaskInstanceProtocol) -> str:
    """When the run was due: the same for every retry, and however often the run is cleared."""
    return ti.get_template_context()["dag_run"].run_after.isoformat()


def origin(ti: RuntimeTaskInstanceProtocol) -> RunOrigin:
    """When the run began, who triggered it (the scheduler, if nobody did), and its DAG."""
    run = ti.get_template_context()["dag_run"]
    began = None if run.start_date is None else run.start_date.isoformat()
    return RunOrigin(began=began, user=run.triggering_user_name or "airflow", source=ti.dag_id)


def conf(ti: RuntimeTaskInstanceProtocol) -> Mapping[str, Any]:
    """What the run was started with: the form's values, or some of them by the API."""
    return ti.get_template_context()["dag_run"].conf or {}
