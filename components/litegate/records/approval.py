"""What a person decided who was asked whether a version may be promoted."""

from __future__ import annotations

from typing import Literal

from litegate.records.base import Record
from litegate.records.fields import Moment

__all__ = ["ApprovalDecision"]


class ApprovalDecision(Record):
    """The decision, or what the spec says for the case that there is none in time.

    Attributes:
        version: that was asked about.
        actor: who decided, as Airflow knows them, or the time-out.
        note: what they wrote beside it.
        time: when; it tells two decisions about one version apart.
    """

    version: int
    action: Literal["accepted", "rejected"]
    actor: str
    note: str = ""
    time: Moment
    timed_out: bool = False
