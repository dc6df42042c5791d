"""Bodies of S3 objects, read to their end although connections break: boto3 asks again for answers, not for bodies."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from litegate.storage.protocol import BLOCK, Refused

__all__ = ["WAITS", "blocks", "persistently"]

log = logging.getLogger("litegate")

WAITS = (0.2, 0.4, 0.8, 1.6)
"""Seconds before each further request for what did not come."""

Read = TypeVar("Read")
Get = Callable[..., Any]
"""`get_object` of an object; it takes further arguments."""


def blocks(get: Get, uri: str, waits: Sequence[float] = WAITS) -> Iterator[bytes]:
    """The body of an object, in blocks. A transfer that is cut goes on where it was, in the same version.

    Args:
        waits: seconds before each further request; what has come since the last one lets them begin anew.

    Raises:
        Refused: the object has changed meanwhile, or the server does not give the part that it is asked for.
    """
    answer, done, left = get(), 0, list(waits)
    size, version = answer["ContentLength"], answer["ETag"]
    while True:
        try:
            for block in answer["Body"].iter_chunks(BLOCK):
                done, left = done + len(block), list(waits)
                yield block
            return
        except _cut():
            if not left:
                raise
        log.warning("%s: the transfer was cut after %d of %d bytes: it goes on there", uri, done, size)
        time.sleep(left.pop(0))
        answer = get(IfMatch=version, Range=f"bytes={done}-")
        if not answer.get("ContentRange", "").startswith(f"bytes {done}-"):
            raise Refused(f"{uri}: the server does not give what is behind byte {done:,}")


def persistently(read: Callable[[], Read], waits: Sequence[float] = WAITS) -> Read:
    """What `read` gives, which is called again where a transfer is cut."""
    for wait in waits:
        try:
            return read()
        except _cut():
            time.sleep(wait)
    return read()


def _cut() -> tuple[type[Exception], ...]:
    """What a body raises whose connection is cut, ends too early, or says nothing for too long."""
    from botocore.exceptions import IncompleteReadError, ReadTimeoutError, ResponseStreamingError

    return (IncompleteReadError, ReadTimeoutError, ResponseStreamingError)
