"""One write at a time in Airflow's API server, where its database is SQLite.

SQLite has one writer. A request that has begun to write keeps all others from it until its session is closed, which
takes the server's event loop; and Airflow writes its log of what people do in that very loop, which then waits for the
other to end: neither goes on until SQLite gives up, after five seconds, and a heartbeat or a run is lost. So requests
that may write wait here for each other, where nothing is held yet and the loop goes on.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["OneWriteAtATime", "middlewares"]

_READS = frozenset({"GET", "HEAD", "OPTIONS"})


class OneWriteAtATime:
    """ASGI middleware: a request that may write begins when the one before it has ended; others go on as they come."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._turn = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or scope["method"] in _READS:
            await self._app(scope, receive, send)
            return
        async with self._turn:
            await self._app(scope, receive, send)


def middlewares(database: str) -> list[dict[str, Any]]:
    """What a plugin adds to the API server, as Airflow reads it; nothing for a database with many writers.

    Args:
        database: its address, as SQLAlchemy has it.
    """
    if not database.startswith("sqlite"):
        return []
    return [{"name": "one write at a time", "middleware": OneWriteAtATime}]
