"""What a person answered who was asked whether a version may be promoted."""

from __future__ import annotations

from typing import Literal

from litegate.records.base import Record
from litegate.records.promotion import Moment

__all__ = ["Answer"]


class Answer(Record):
    """The answer, or what the spec says for the case that there is none.

    Attributes:
        version: that was asked about.
        actor: who answered, as Airflow knows them, or the time-out.
        note: what they wrote beside it.
        time: when; with it two answers to one question are told apart.
    """

    version: int
    action: Literal["accepted", "rejected"]
    actor: str
    note: str = ""
    time: Moment
    timed_out: bool = False
