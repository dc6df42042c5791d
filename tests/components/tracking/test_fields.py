"""Facts of a run as tags."""

from __future__ import annotations

from litegate.records import Announcement
from litegate.tracking.fields import trigger_tags, variant_metrics
from tests.components.report.runs import MadeRun, Variant


def test_a_run_says_who_announced_its_model() -> None:
    event = Announcement(digest="a" * 64, source="the watcher", timestamp="2026-01-01T00:00:00+00:00")
    tags = {"trigger": "the watcher", "trigger.time": event.timestamp, "trigger.digest": "a" * 64}
    assert trigger_tags(event) == tags
    assert "trigger.digest" not in trigger_tags(event.model_copy(update={"digest": None}))
    assert trigger_tags(None) == {}


def test_what_would_decide_is_counted_in_clusters_where_there_are_any() -> None:
    for clusters, unit in ((None, "samples"), (100, "clusters")):
        made = MadeRun(variants=[Variant(name="int8", state="inconclusive", needed=240, clusters=clusters)])
        request = made.request
        found = variant_metrics(request.candidates[0], request.verdicts[1], made.result.baseline)
        assert (found["samples"], found["clusters"], found[f"{unit}_needed"]) == (1000, clusters, 240)
        assert len([name for name in found if name.endswith("_needed")]) == 1
