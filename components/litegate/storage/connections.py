"""Connections to an S3 server for what is asked of it in many small parts.

Python's own HTTP client takes a third of the processor time of the layers that boto3 has above it. What those are there
for is left to boto3: proxies, and everything that is to be done when an answer is not the one that was hoped for.
"""

from __future__ import annotations

import os
import ssl
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import NamedTuple

from litegate.settings import s3_timeout
from litegate.storage.access import Access, access
from litegate.storage.protocol import AT_ONCE

__all__ = ["Asked", "Connections", "Range"]

_PARTIAL = 206


class Connections:
    """To one server: each is for one request at a time, and then for the next one.

    Args:
        connection: makes one.
    """

    def __init__(self, connection: Callable[[], HTTPConnection]) -> None:
        self._new = connection
        self._idle: deque[HTTPConnection] = deque()

    def __del__(self) -> None:
        while self._idle:
            self._idle.pop().close()

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

    def idle(self) -> HTTPConnection | None:
        """One that is there, which is the caller's from now on."""
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def new(self) -> HTTPConnection:
        """Another one.

        Raises:
            OSError: the server cannot be reached.
        """
        connection = self._new()
        try:
            connection.connect()
        except OSError:
            connection.close()
            raise
        connection.sock.settimeout(s3_timeout())
        return connection

    def put_back(self, connection: HTTPConnection) -> None:
        """Keep one whose last answer was read to its end."""
        if len(self._idle) < AT_ONCE:
            self._idle.append(connection)
        else:
            connection.close()


@dataclass(frozen=True)
class Asked:
    """A part of an object that a server was asked for, over a connection on which nothing else is asked until then."""

    connections: Connections
    connection: HTTPConnection
    part: Range

    @classmethod
    def of(
        cls, connections: Connections, connection: HTTPConnection, target: str, headers: Mapping[str, str], part: Range
    ) -> Asked | None:
        """Ask; None where the connection is broken."""
        try:
            connection.request("GET", target, headers={**headers, "Range": f"bytes={part.first}-{part.last}"})
        except (HTTPException, OSError):
            connection.close()
            return None
        return cls(connections, connection, part)

    def content(self) -> bytes | None:
        """What has come, or comes; None if the answer is anything but this part."""
        try:
            answer = self.connection.getresponse()
            content = answer.read() if self.part.is_given_by(answer) else None
        except (HTTPException, OSError):
            content = None
        if content is None or answer.will_close:
            self.cancel()
        else:
            self.connections.put_back(self.connection)
        return content

    def cancel(self) -> None:
        """Nobody waits for it any more."""
        self.connection.close()


class Range(NamedTuple):
    """From which byte to which one, both of them included, in which version."""

    version: str
    first: int
    last: int

    def is_given_by(self, answer: HTTPResponse) -> bool:
        """Whether an answer is the part, by what it says before its body."""
        found = (answer.status, answer.getheader("ETag"), answer.length)
        given = answer.getheader("Content-Range", "").startswith(f"bytes {self.first}-{self.last}/")
        return given and found == (_PARTIAL, self.version, self.last - self.first + 1)


def _authorities() -> str:
    """File of the certificates by which boto3 knows the server."""
    from botocore.httpsession import get_cert_path
    from botocore.session import Session

    given = access() or Access("the process")
    configured = Session(profile=given.profile).get_config_variable("ca_bundle")
    return str(given.ca_bundle or configured or os.environ.get("REQUESTS_CA_BUNDLE") or get_cert_path(True))
