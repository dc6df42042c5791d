"""The alert for a run that takes too long, which Airflow raises by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from litegate.records import Notice
from litegate.spec import Notification, Spec
from litegate_airflow.events.notify import tell
from litegate_airflow.ui.pages import run_page

if TYPE_CHECKING:
    from airflow.sdk import Context

__all__ = ["deadlines", "tell_late"]


def deadlines(spec: Spec) -> list[DeadlineAlert] | None:
    """The alert for a run that takes longer than the spec allows; None where it sets no limit."""
    if spec.deadline_minutes is None:
        return None
    sentence = f"the run takes longer than {spec.deadline_minutes:g} minutes"
    notice = Notice(event="late", model=spec.model.name, sentence=sentence)
    arguments = {"notice": notice.to_json(), "notifications": [item.model_dump(mode="json") for item in spec.notify]}
    return [
        DeadlineAlert(
            name="late",
            reference=DeadlineReference.DAGRUN_QUEUED_AT,
            interval=timedelta(minutes=spec.deadline_minutes),
            callback=AsyncCallback(tell_late, kwargs=arguments),
        )
    ]


async def tell_late(notice: dict[str, Any], notifications: Sequence[dict[str, Any]], context: Context) -> None:
    """What Airflow's triggerer calls when a run is late; the context knows of the run alone.

    A callback that an executor runs may read no connection in Airflow 3.3.
    """
    run: Any = context["dag_run"]
    page = run_page(run["dag_id"], run["dag_run_id"])
    late = Notice.model_validate(notice).model_copy(update={"links": {"airflow": page}})
    told = [Notification.model_validate(item) for item in notifications]
    # In a thread: not every notifier can do without blocking.
    await asyncio.to_thread(tell, told, late, context)
