"""What a run has been told about its model, from the events that Airflow hands over."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from airflow.sdk import Asset

from litegate.errors import SpecError
from litegate_airflow.events.announcements import announcements

MODEL = Asset(name="s3://b/m.keras", uri="s3://b/m.keras")
A, B, C = ("a" * 64, "b" * 64, "c" * 64)


@dataclass
class Event:
    minute: int
    extra: dict[str, Any] | None = None
    source_dag_id: str | None = None
    source_run_id: str | None = None

    @property
    def timestamp(self) -> datetime:
        return datetime(2026, 1, 1, 0, self.minute, tzinfo=UTC)


@dataclass
class Inlet:
    """All events of the asset; Airflow gives those of the very time asked for too."""

    events: list[Event] = field(default_factory=list)

    def after(self, timestamp: str) -> list[Event]:
        return [event for event in self.events if event.timestamp.isoformat() >= timestamp]


def told(triggering: list[Event], *events: Event) -> list[tuple[str | None, str]]:
    inlets = {MODEL: Inlet([*triggering, *events])}
    context: Any = {"triggering_asset_events": {MODEL: triggering} if triggering else {}, "inlet_events": inlets}
    return [(item.digest, item.timestamp[14:16]) for item in announcements(context, MODEL)]


def test_the_newest_of_merged_events_counts_and_all_that_came_later() -> None:
    first, second = Event(1, {"digest": A}), Event(2, {"digest": B})
    assert told([second, first]) == [(B, "02")]
    assert told([first], second, Event(3, {"digest": C}), Event(0, {"digest": C})) == [(A, "01"), (B, "02"), (C, "03")]


def test_a_digest_may_be_written_in_capitals() -> None:
    assert told([Event(1, {"digest": A.upper()})]) == [(A, "01")]


def test_a_run_that_no_event_began_was_told_nothing() -> None:
    assert told([], Event(1, {"digest": A})) == []


@pytest.mark.parametrize("extra", [None, {}, {"digest": None}, {"from_trigger": True, "payload": {"uri": "x"}}])
def test_an_event_need_not_have_a_digest(extra: dict[str, Any] | None) -> None:
    assert told([Event(1, extra)]) == [(None, "01")]


@pytest.mark.parametrize("digest", ["", "sha256:" + A, A[1:], "g" * 64, 5, [A], A + "\n"])
def test_a_digest_that_is_none_is_refused(digest: Any) -> None:
    with pytest.raises(SpecError, match=r"extra\.digest of the asset event of 2026-01-01T00:01:00.*: expected a SHA"):
        told([Event(1, {"digest": digest})])


@pytest.mark.parametrize(
    ("event", "source"),
    [
        (Event(1, {"digest": A}, "retrain__m", "manual__1"), "retrain__m (manual__1)"),
        (Event(1, {"from_trigger": True}), "the watcher"),
        (Event(1, {"from_rest_api": True}), "somebody through Airflow's API"),
    ],
)
def test_it_is_said_who_announced_the_model(event: Event, source: str) -> None:
    context: Any = {"triggering_asset_events": {MODEL: [event]}, "inlet_events": {MODEL: Inlet()}}
    assert announcements(context, MODEL)[0].source == source
