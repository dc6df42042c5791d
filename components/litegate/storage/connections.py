"""Connections to an S3 server for what is asked of it in many small parts.

Python's own HTTP client takes a third of the processor time of the layers that boto3 has above it. What those are there
for is left to boto3: proxies, and everything that is to be done when an answer is not the one that was hoped for.
"""

from __future__ import annotations

import os
import ssl
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection

from litegate.settings import s3_timeout
from litegate.storage.access import Access, access
from litegate.storage.protocol import AT_ONCE

__all__ = ["Connections"]

_PARTIAL = 206


class Connections:
    """To one server: each is for one request at a time, and then for the next one.

    Args:
        connection: makes one.
    """

    def __init__(self, connection: Callable[[], HTTPConnection]) -> None:
        self._new = connection
        self._idle: deque[HTTPConnection] = deque(maxlen=AT_ONCE)

    @classmethod
    def to(cls, scheme: str, place: str) -> Connections | None:
        """Those to a server, reached by the certificates that the caller's access names; None where a proxy is between.

        Args:
            place: host, and port where it has one.
        """
        from botocore.utils import get_environ_proxies

        if scheme in get_environ_proxies(f"{scheme}://{place}"):
            return None
        timeout = min(5, s3_timeout())
        if scheme == "http":
            return cls(partial(HTTPConnection, place, timeout=timeout))
        trusting = ssl.create_default_context(cafile=_authorities())
        return cls(partial(HTTPSConnection, place, timeout=timeout, context=trusting))

    def part(self, target: str, headers: Mapping[str, str], version: str, start: int, size: int) -> bytes | None:
        """`size` bytes of an object from its byte `start` on; None if the answer is another one.

        Raises:
            OSError, HTTPException: there is no whole answer.
        """
        part = f"{start}-{start + size - 1}"
        connection = self._taken()
        try:
            connection.request("GET", target, headers={**headers, "Range": f"bytes={part}"})
            answer = connection.getresponse()
            content = answer.read() if _is(answer, version, f"bytes {part}/", size) else None
        except BaseException:
            connection.close()
            raise
        if content is None or answer.will_close:
            connection.close()
        else:
            self._idle.append(connection)
        return content

    def _taken(self) -> HTTPConnection:
        try:
            return self._idle.pop()
        except IndexError:
            connection = self._new()
            connection.connect()
            connection.sock.settimeout(s3_timeout())
            return connection


def _is(answer: HTTPResponse, version: str, part: str, size: int) -> bool:
    """Whether it is the part; what else it says is not read."""
    found = (answer.status, answer.getheader("ETag"), answer.length)
    return found == (_PARTIAL, version, size) and answer.getheader("Content-Range", "").startswith(part)


def _authorities() -> str:
    """File of the certificates by which boto3 knows the server."""
    from botocore.httpsession import get_cert_path
    from botocore.session import Session

    given = access() or Access("the process")
    configured = Session(profile=given.profile).get_config_variable("ca_bundle")
    return str(given.ca_bundle or configured or os.environ.get("REQUESTS_CA_BUNDLE") or get_cert_path(True))
