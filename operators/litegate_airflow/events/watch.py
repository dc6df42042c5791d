"""The watcher: tells Airflow that there is a new model, when something else has put it there.

It asks S3 every few seconds. What it has announced it remembers in the workspace: after a restart it announces what
came meanwhile, and nothing twice. Should it end in the very moment of an announcement, it announces once more rather
than never: a run that finds all its results costs little.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any, TypeVar

from airflow.sdk import BaseHook
from airflow.triggers.base import BaseEventTrigger, TriggerEvent
from typing_extensions import override

from litegate.digest import digest_json
from litegate.settings import default_home, workspace
from litegate.storage.access import reached_by
from litegate.storage.versions import ModelFiles, find_model
from litegate.storage.workspace import Workspace
from litegate_airflow.runtime.connections import aws_access

__all__ = ["ModelTrigger"]

log = logging.getLogger("litegate")

R = TypeVar("R")

_LONGEST_PAUSE = 600.0


class ModelTrigger(BaseEventTrigger):
    """Fires whenever there is another newest model at an address.

    Args:
        uri: a file, a folder, or with a wildcard versions of either.
        interval: seconds between two looks; after errors twice as many each time, up to ten minutes.
        aws_conn_id: Airflow connection for S3, in place of the triggerer's environment.
    """

    stored_after = 5.0
    """Seconds after which an event that was fired is in Airflow's database; it takes one or two."""

    def __init__(self, uri: str, interval: float, aws_conn_id: str | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.uri, self.interval, self.aws_conn_id = uri, interval, aws_conn_id
        self._workspace, self._mark = Workspace(workspace(), default_home() / "cache"), f"watch-{digest_json(uri)}"
        self._errors = 0
        self._seen_before: str | None = None
        self._announced: dict[str, Any] | None = None

    @override
    def serialize(self) -> tuple[str, dict[str, Any]]:
        arguments = {"uri": self.uri, "interval": self.interval}
        arguments |= {"aws_conn_id": self.aws_conn_id} if self.aws_conn_id else {}
        return f"{__name__}.{ModelTrigger.__name__}", arguments

    @override
    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look, announce, remember; without end."""
        while True:
            found = await self._news()
            if found is not None:
                yield TriggerEvent({"uri": found.uri, "modified": found.modified})  # type: ignore[no-untyped-call]
                await asyncio.sleep(self.stored_after)
                await self._remember(found)
            await asyncio.sleep(self._pause)

    async def _news(self) -> ModelFiles | None:
        """What is to be announced, if anything is."""
        try:
            news = await self._in_thread(self._look)
        except Exception as error:
            self._errors += 1
            log.warning("watching %s: %s; the next look is in %g s", self.uri, error, self._pause)
            return None
        self._errors = 0
        return news

    def _look(self) -> ModelFiles | None:
        found = find_model(self.uri, "model.uri")
        return found if found is not None and self._is_whole(found) and self._is_new(found) else None

    def _is_whole(self, found: ModelFiles) -> bool:
        """An object is there at once; a folder is complete when it has not changed since the look before."""
        before, self._seen_before = self._seen_before, found.identity
        return len(found.entries) == 1 or before == found.identity

    def _is_new(self, found: ModelFiles) -> bool:
        """Neither what was announced last, nor older: that becomes the newest when a newer one is deleted."""
        if self._announced is None:
            self._announced = self._workspace.mark(self._mark)
        last = self._announced
        return last is None or (found.identity != last["identity"] and found.modified >= last["modified"])

    async def _remember(self, found: ModelFiles) -> None:
        self._announced = {"uri": found.uri, "identity": found.identity, "modified": found.modified}
        try:
            await self._in_thread(partial(self._workspace.set_mark, self._mark, self._announced))
        except Exception as error:
            log.warning("watching %s: %s; it is announced once more after a restart", found.uri, error)

    async def _in_thread(self, work: Callable[[], R]) -> R:
        """As the connection says, which only this thread sees: a triggerer runs the triggers of many owners."""
        if self.aws_conn_id is None:
            return await asyncio.to_thread(work)
        with reached_by(aws_access(await BaseHook.aget_connection(self.aws_conn_id))):
            return await asyncio.to_thread(work)

    @property
    def _pause(self) -> float:
        return min(self.interval * 2.0 ** min(self._errors, 16), max(self.interval, _LONGEST_PAUSE))
