"""What somebody is told about a run."""

from __future__ import annotations

from pydantic import Field

from litegate.records.base import Record
from litegate.spec import Event

__all__ = ["Notice"]


class Notice(Record):
    """Something that happened; a notifier's templates know it as `notice`.

    Attributes:
        model: the model's name in the spec.
        sentence: what happened, for people, on one line.
        version, variant: that it happened to, where it is about one.
        actor: who decided it, where somebody did.
        links: pages that tell more, by what they show: `airflow`, `mlflow`, `report`, `answer`.
    """

    event: Event
    model: str
    sentence: str
    version: int | None = None
    variant: str | None = None
    actor: str | None = None
    links: dict[str, str] = Field(default_factory=dict)
