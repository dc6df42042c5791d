"""Who started a DAG run, and for when: what a ledger keeps of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.sdk.types import RuntimeTaskInstanceProtocol

__all__ = ["actor", "moment"]


def actor(ti: RuntimeTaskInstanceProtocol) -> str:
    """The DAG run, and the person who triggered it, if one did."""
    person = ti.get_template_context()["dag_run"].triggering_user_name
    return f"{ti.dag_id}/{ti.run_id}" + (f" (triggered by {person})" if person else "")


def moment(ti: RuntimeTaskInstanceProtocol) -> str:
    """When the run was due: the same for every retry, and however often the run is cleared."""
    return ti.get_template_context()["dag_run"].run_after.isoformat()
