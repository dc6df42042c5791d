"""What a clean-up is asked for, and what became of every object that it looked at."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from litegate.records.base import Record
from litegate.records.fields import Count

__all__ = ["LEAST_DAYS", "CleanRequest", "Cleaned", "Fate", "Pile"]

LEAST_DAYS = 2
"""A use is noted once a day, and a run may take another one."""

Fate = Literal["unused", "recent", "registered", "ledger", "foreign"]


class CleanRequest(Record):
    """Which places to clean.

    Attributes:
        days: what was used within so many stays.
        apply: whether to delete; else nothing is touched.
    """

    workspace: str
    cache: str
    scratch: str
    days: int = Field(ge=LEAST_DAYS)
    apply: bool


class Pile(Record):
    """All objects of one kind that share a fate: `unused` ones go, all others stay."""

    kind: str
    fate: Fate
    count: Count
    bytes: Count


class Cleaned(Record):
    """What became of everything; where `applied` is false, what would become of it.

    Attributes:
        foreign: names of what is not ours, some of them.
    """

    workspace: str
    days: int
    applied: bool
    piles: tuple[Pile, ...]
    foreign: tuple[str, ...]
