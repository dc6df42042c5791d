"""Ranges of S3 objects at a fraction of what boto3 spends on each: one request that it prepared is sent for many.

A signature does not cover `Range`, so what boto3 signs for an object is good for each of its parts. An answer that is
not exactly the part is nobody's business here: boto3 is to be asked then, which knows what to try again and what to
say. Headers that are signed are a secret: they are in this process's memory, and nowhere else.
"""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from litegate.storage.connections import Asked, Connections, Range

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse
    from mypy_boto3_s3 import S3Client

__all__ = ["AskedFirst", "ask_range", "quick_range"]

_GOOD_FOR = 60
"""Seconds for which a request is sent again; servers take a signature for 15 minutes."""
_REMEMBERED = 1024
_SERVERS = 64
_NOT_REPEATED = ("amz-sdk-invocation-id", "amz-sdk-request")
"""Headers that number the requests, and that no signature covers."""

_preparing = threading.Lock()
_PREPARED: ContextVar[list[AWSPreparedRequest] | None] = ContextVar("prepared", default=None)
"""Where the request goes that is to be prepared and not sent."""


@dataclass(frozen=True)
class AskedFirst:
    """A part that is on its way, and what gives it if it does not come; see `Coming`."""

    asked: Asked
    otherwise: Callable[[], bytes]

    def result(self) -> bytes:
        """Wait for it."""
        content = self.asked.content()
        return self.otherwise() if content is None else content

    def cancel(self) -> None:
        """Hang up."""
        self.asked.cancel()


@dataclass(frozen=True)
class _Request:
    """What is asked for an object; without connections only boto3 can."""

    connections: Connections | None
    target: str
    headers: Mapping[str, str] = field(repr=False)


def ask_range(client: S3Client, bucket: str, key: str, part: Range, *, connecting: bool) -> Asked | None:
    """Ask for part of an object; None where boto3 is to be asked for it.

    Args:
        connecting: whether to connect to the server where no connection is there; else it is None then, too.
    """
    from botocore.exceptions import BotoCoreError

    try:
        with _preparing:  # else several threads sign the same
            request = _request(client, bucket, key, part.version, int(time.monotonic() // _GOOD_FOR))
        connections = request.connections
        if connections is None:
            return None
        connection = connections.idle() or (connections.new() if connecting else None)
    except (BotoCoreError, OSError):
        return None
    if connection is None:
        return None
    return Asked.of(connections, connection, request.target, request.headers, part)


def quick_range(client: S3Client, bucket: str, key: str, part: Range) -> bytes | None:
    """Part of an object; None where boto3 is to be asked for it."""
    asked = ask_range(client, bucket, key, part, connecting=True)
    return None if asked is None else asked.content()


@lru_cache(_REMEMBERED)
def _request(client: S3Client, bucket: str, key: str, version: str, _age: int) -> _Request:
    """For all of an object, as boto3 would send it now."""
    events: Any = client.meta.events
    events.register("before-send.s3.GetObject", _keep_back, unique_id="litegate-ranges")
    kept: list[AWSPreparedRequest] = []
    token = _PREPARED.set(kept)
    try:
        client.get_object(Bucket=bucket, Key=key, IfMatch=version)
    finally:
        _PREPARED.reset(token)
    headers = {name: _text(value) for name, value in kept[0].headers.items() if name not in _NOT_REPEATED}
    place = urlsplit(kept[0].url)
    target = f"{place.path}?{place.query}" if place.query else place.path
    return _Request(_connections(client, place.scheme, place.netloc), target, headers)


def _keep_back(request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
    """Answers a request that is not to be sent; all others go their way."""
    kept = _PREPARED.get()
    if kept is None:
        return None
    from botocore.awsrequest import AWSResponse

    kept.append(request)
    return AWSResponse(request.url, 200, {}, io.BytesIO())  # type: ignore[arg-type]


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


@lru_cache(_SERVERS)
def _connections(_client: S3Client, scheme: str, place: str) -> Connections | None:
    """Those to a server, for each client: another one may trust other certificates."""
    return Connections.to(scheme, place)
