"""A proxy in front of an S3 server that fails a part of all requests, in each way in which a network or server does.

Which requests fail does not depend on the order in which threads make them: it follows from the seed, the request and
how often it was made before. How they fail goes round.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

__all__ = ["Fault", "FaultyS3", "faulty_s3"]

_BUSY = b"<?xml version='1.0'?><Error><Code>%s</Code><Message>as the test wants it</Message></Error>"


class Fault(StrEnum):
    """What becomes of a request."""

    ERROR = "HTTP 500"
    BUSY = "HTTP 503"
    SILENCE = "no answer in time"
    CUT_REQUEST = "cut on its way there"
    CUT_ANSWER = "cut on its way back"
    LOST_ANSWER = "done, and the answer lost"


class FaultyS3:
    """How requests fail, and how many did.

    Args:
        upstream: address of the server.
        share: of all requests that fail, 0 to 1.
        silence: seconds for which some are not answered.

    Attributes:
        planned: what becomes of the next requests, before it is left to chance.
    """

    def __init__(self, upstream: str, share: float, seed: int, silence: float) -> None:
        self.upstream, self.share, self.seed, self.silence = urlsplit(upstream).netloc, share, seed, silence
        self.requests = 0
        self.planned: list[Fault | None] = []
        self.faults: Counter[Fault] = Counter()
        self._asked: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def fault(self, method: str, path: str) -> Fault | None:
        """What is to become of the next request of this kind."""
        with self._lock:
            self.requests += 1
            if self.planned:
                return self.planned.pop(0)
            self._asked[method, path] += 1
            named = f"{self.seed} {method} {urlsplit(path).path} {self._asked[method, path]}"
            drawn = int.from_bytes(hashlib.sha256(named.encode()).digest()[:8]) / 2**64
            if drawn >= self.share:
                return None
            found = list(Fault)[self.faults.total() % len(Fault)]
            self.faults[found] += 1
            return found


@contextmanager
def faulty_s3(upstream: str, share: float = 0.2, seed: int = 1, silence: float = 3.0) -> Iterator[tuple[str, FaultyS3]]:
    """The address of such a proxy, and its counts."""
    faulty = FaultyS3(upstream, share, seed, silence)
    handler = type("_Handler", (_Proxy,), {"faulty": faulty})
    server = _Server(("127.0.0.1", 0), handler)
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", faulty
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients go away where they were left without an answer."""


class _Proxy(BaseHTTPRequestHandler):
    """One connection with one request."""

    protocol_version = "HTTP/1.1"
    faulty: FaultyS3

    def log_message(self, *_: object) -> None:
        pass

    def _serve(self) -> None:
        self.close_connection = True
        fault = self.faulty.fault(self.command, self.path)
        body = self._body()
        if fault in (Fault.ERROR, Fault.BUSY):
            self._refuse(fault)
        elif fault is Fault.SILENCE:
            time.sleep(self.faulty.silence)
        elif fault is Fault.CUT_REQUEST:
            self._send_half(body)
        else:
            self._pass_on(body, fault)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _serve  # noqa: N815 (names of the base class)

    def _body(self) -> bytes:
        """All of the request's, whether its length was said before or it comes in chunks."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(parts)

    def _refuse(self, fault: Fault) -> None:
        status, code = (500, b"InternalError") if fault is Fault.ERROR else (503, b"SlowDown")
        said = b"" if self.command == "HEAD" else _BUSY % code
        self.send_response(status)
        self.send_header("Content-Length", str(len(said)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(said)

    def _forwarded(self, length: int) -> Iterator[tuple[str, str]]:
        dropped = ("connection", "content-length", "expect", "transfer-encoding")
        yield from ((name, value) for name, value in self.headers.items() if name.lower() not in dropped)
        yield "Content-Length", str(length)
        yield "Connection", "close"

    def _begun(self, length: int) -> HTTPConnection:
        """A request to the server, before its body."""
        upstream = HTTPConnection(self.faulty.upstream, timeout=60)
        upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self._forwarded(length):
            upstream.putheader(name, value)
        upstream.endheaders()
        return upstream

    def _send_half(self, body: bytes) -> None:
        """Only a request with a body can be cut."""
        if len(body) > 1:
            upstream = self._begun(len(body))
            with suppress(OSError):
                upstream.send(body[: len(body) // 2])
            upstream.close()

    def _pass_on(self, body: bytes, fault: Fault | None) -> None:
        upstream = self._begun(len(body))
        if body:
            upstream.send(body)
        answer = upstream.getresponse()
        content = answer.read()
        upstream.close()
        if fault is not Fault.LOST_ANSWER:
            self._answer(answer, content[: len(content) // 2] if fault is Fault.CUT_ANSWER else content, len(content))

    def _answer(self, answer: HTTPResponse, content: bytes, length: int) -> None:
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "content-length", "transfer-encoding"):
                self.send_header(name, value)
        said = answer.getheader("Content-Length") if self.command == "HEAD" else None
        self.send_header("Content-Length", said or str(length))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)
