"""A run whose tasks have the names that they have in litegate's own DAGs."""

from __future__ import annotations

from litegate.pipeline.tasks import REQUALIFICATION, TASKS
from litegate_airflow.runtime.wiring import Wiring

__all__ = ["NAMED", "REQUALIFYING"]

NAMED = Wiring({task: (task.id,) for task in TASKS})
REQUALIFYING = Wiring({task: (task.id,) for task in REQUALIFICATION})
