"""Facts of a run as tags."""

from __future__ import annotations

from litegate.records import Announcement
from litegate.tracking.fields import trigger_tags


def test_a_run_says_who_announced_its_model() -> None:
    event = Announcement(digest="a" * 64, source="the watcher", timestamp="2026-01-01T00:00:00+00:00")
    tags = {"trigger": "the watcher", "trigger.time": event.timestamp, "trigger.digest": "a" * 64}
    assert trigger_tags(event) == tags
    assert "trigger.digest" not in trigger_tags(event.model_copy(update={"digest": None}))
    assert trigger_tags(None) == {}
