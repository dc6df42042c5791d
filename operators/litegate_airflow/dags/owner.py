"""What the owner of an Airflow says about a DAG of litegate's: arguments that all factories share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

__all__ = ["POOL", "Owner"]

POOL = "litegate"
_RETRIES: Mapping[str, Any] = {"retries": 1, "retry_delay": timedelta(seconds=10)}


@dataclass(frozen=True)
class Owner:
    """The owner's arguments.

    Attributes:
        default_args: of every task, before litegate's own.
        pool: that the tasks take slots of which load the machine. It has to exist: Airflow schedules no task of a
            pool that it does not know, and warns on the DAG's page.
        pool_slots: what a task takes that must be alone, because it measures or uses all cores: the whole pool.
        aws_conn_id: see `WiredOperator`.
        mlflow_conn_id: see `WiredOperator`.
        signing_conn_id: see `WiredOperator`.
    """

    default_args: Mapping[str, Any] = field(default_factory=dict)
    pool: str = POOL
    pool_slots: int = 2
    aws_conn_id: str | None = None
    mlflow_conn_id: str | None = None
    signing_conn_id: str | None = None

    @property
    def heavy(self) -> dict[str, Any]:
        """Of a task that takes a slot."""
        return {"pool": self.pool}

    @property
    def alone(self) -> dict[str, Any]:
        """Of a task that takes all of them."""
        return {"pool": self.pool, "pool_slots": self.pool_slots}

    def defaults(self, **own: Any) -> dict[str, Any]:
        """The `default_args`: litegate's, in whose place the owner's stand."""
        connections = {"aws_conn_id": self.aws_conn_id, "mlflow_conn_id": self.mlflow_conn_id}
        connections |= {"signing_conn_id": self.signing_conn_id}
        return {**_RETRIES, **own, **connections, **self.default_args}
