"""What the owner of an Airflow says about a DAG of litegate's: arguments that all factories share."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Self

from litegate.errors import BadInput

__all__ = ["POOL", "Owner"]

POOL = "litegate"
SHARDS = "LITEGATE_EVALUATION_SHARDS"
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
        queue: that tasks wait in for a worker, where the executor has queues, as Celery's; Airflow's own if None.
        evaluation_queue: the same of what runs files over the evaluation data or measures latency; `queue` if None.
        evaluation_shards: into how many parts the evaluation data are cut, for as many tasks; 1: not at all.

    Raises:
        BadInput: there is less than one shard.
    """

    default_args: Mapping[str, Any] = field(default_factory=dict)
    pool: str = POOL
    pool_slots: int = 2
    aws_conn_id: str | None = None
    mlflow_conn_id: str | None = None
    signing_conn_id: str | None = None
    queue: str | None = None
    evaluation_queue: str | None = None
    evaluation_shards: int = 1

    def __post_init__(self) -> None:
        if self.evaluation_shards < 1:
            raise BadInput("evaluation_shards", "at least 1", str(self.evaluation_shards))

    @classmethod
    def of_environment(cls) -> Self:
        """What the environment says of queues and shards, for DAG files that nobody edits.

        Raises:
            BadInput: the number of shards is none.
        """
        shards = os.environ.get(SHARDS) or "1"
        if not shards.isdecimal() or int(shards) < 1:
            raise BadInput(SHARDS, "a whole number of at least 1", repr(shards))
        return cls(
            queue=os.environ.get("LITEGATE_QUEUE") or None,
            evaluation_queue=os.environ.get("LITEGATE_EVALUATION_QUEUE") or None,
            evaluation_shards=int(shards),
        )

    @property
    def heavy(self) -> dict[str, Any]:
        """Of a task that takes a slot."""
        return {"pool": self.pool}

    @property
    def alone(self) -> dict[str, Any]:
        """Of a task that takes all of them."""
        return {"pool": self.pool, "pool_slots": self.pool_slots}

    @property
    def evaluating(self) -> dict[str, Any]:
        """Of a task that takes all slots to evaluate or to measure."""
        return self.alone | ({"queue": self.evaluation_queue} if self.evaluation_queue else {})

    def defaults(self, **own: Any) -> dict[str, Any]:
        """The `default_args`: litegate's, in whose place the owner's stand."""
        connections = {"aws_conn_id": self.aws_conn_id, "mlflow_conn_id": self.mlflow_conn_id}
        connections |= {"signing_conn_id": self.signing_conn_id}
        queue = {"queue": self.queue} if self.queue else {}
        return {**_RETRIES, **own, **connections, **queue, **self.default_args}
