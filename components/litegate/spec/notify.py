"""Who is told about what, and by which of Airflow's notifiers."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from litegate.spec.section import Section

__all__ = ["Event", "Notification"]

Event = Literal["promoted", "rejected", "inconclusive", "rolled_back", "alerted", "waiting", "late"]
"""What somebody may want to hear of:

    promoted      the champion is another version
    rejected      nothing passed the gate, or a person or the time-out refused what did
    inconclusive  nothing passed, but the samples do not decide about at least one variant
    rolled_back   a champion was taken back
    alerted       a requalification found what somebody must look at
    waiting       a version passed and waits for a person
    late          the run takes longer than `deadline_minutes`
"""


class Notification(Section):
    """One notifier and the events that it is called for."""

    events: list[Event] = Field(
        min_length=1,
        description="What it is called for; `alerted` is by a requalification, `late` by `deadline_minutes`.",
    )
    notifier: str = Field(
        pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$",
        description="An Airflow notifier by dotted path, such as `litegate_airflow.webhook.WebhookNotifier`.",
    )
    arguments: dict[str, Any] = Field(
        default_factory=dict, description="What it is made with; its templates may use `notice`."
    )
