"""Asset events: what a run has been told about its model.

Events are hints and no queue: several may have been merged into one run, and some are lost. So the newest one that
began the run counts, and whatever was announced after it may be there in its place.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from litegate.errors import SpecError
from litegate.records import Announcement

if TYPE_CHECKING:
    from airflow.sdk import Asset, Context
    from airflow.sdk.api.datamodels._generated import AssetEventDagRunReference, AssetEventResponse

    Event = AssetEventDagRunReference | AssetEventResponse

__all__ = ["announcements"]


def announcements(context: Context, model: Asset) -> tuple[Announcement, ...]:
    """The newest event that began the run, and all later ones; nothing if it began otherwise.

    Raises:
        SpecError: one of them has a digest that is none.
    """
    triggering = context["triggering_asset_events"].get(model, ())
    if not triggering:
        return ()
    first = max(triggering, key=lambda event: event.timestamp)
    later = [
        event
        for event in context["inlet_events"][model].after(first.timestamp.isoformat())
        if event.timestamp > first.timestamp
    ]
    return tuple(map(_announcement, (first, *later)))


def _announcement(event: Event) -> Announcement:
    digest = (event.extra or {}).get("digest")
    if digest is None:
        return Announcement(digest=None, source=_source(event), timestamp=event.timestamp.isoformat())
    if not (isinstance(digest, str) and re.fullmatch("[0-9a-fA-F]{64}", digest)):
        where = f"extra.digest of the asset event of {event.timestamp.isoformat()}"
        raise SpecError(where, "a SHA-256 of 64 hexadecimal digits, or no digest", repr(digest)[:120])
    return Announcement(digest=digest.lower(), source=_source(event), timestamp=event.timestamp.isoformat())


def _source(event: Event) -> str:
    if event.source_dag_id:
        return f"{event.source_dag_id} ({event.source_run_id})"
    return "the watcher" if (event.extra or {}).get("from_trigger") else "somebody through Airflow's API"
