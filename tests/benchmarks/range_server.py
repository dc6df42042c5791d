"""A small S3 server over one file, which it has under many names; it answers a range without reading the rest.

moto reads a whole object for each range, so that what is saved by asking for less would not be seen. It knows a list
of objects (`list-type=2`) and GET with `Range` and `If-Match`, and counts the bytes of the objects that it has sent.

    python -m tests.benchmarks.range_server PORT FILE NAMES [FILE NAMES ...]
"""

from __future__ import annotations

import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

VERSION = '"0123456789abcdef0123456789abcdef"'


class Server(ThreadingHTTPServer):
    """Files by key, and what was sent of them."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int, files: dict[str, Path]) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.files, self.sent, self.lock = files, 0, threading.Lock()


class Handler(BaseHTTPRequestHandler):
    """Path-style addresses: `/bucket/key`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        key = parts.path.lstrip("/").partition("/")[2]
        if parts.path == "/sent":
            self._answer(200, str(self.server.sent).encode())
        elif not key:
            self._answer(200, self._listing(parse_qs(parts.query)["prefix"][0]))
        elif self.headers["If-Match"] not in (None, VERSION):
            self._answer(412, b"<Error><Code>PreconditionFailed</Code></Error>")
        else:
            self._send(self.server.files[key])

    def _listing(self, prefix: str) -> bytes:
        item = (
            "<Contents><Key>{}</Key><Size>{}</Size><ETag>{}</ETag>"
            "<LastModified>2026-01-01T00:00:00Z</LastModified></Contents>"
        )
        found = [
            item.format(escape(key), path.stat().st_size, escape(VERSION))
            for key, path in self.server.files.items()
            if key.startswith(prefix)
        ]
        return f"<ListBucketResult><IsTruncated>false</IsTruncated>{''.join(found)}</ListBucketResult>".encode()

    def _send(self, path: Path) -> None:
        size, part = path.stat().st_size, self.headers["Range"]
        first, last = map(int, part.removeprefix("bytes=").split("-")) if part else (0, size - 1)
        self.send_response(206 if part else 200)
        if part:
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self.send_header("ETag", VERSION)
        self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        self.send_header("Content-Length", str(last - first + 1))
        self.end_headers()
        with self.server.lock:
            self.server.sent += last - first + 1
        with path.open("rb") as file:
            while first <= last:
                first += os.sendfile(self.connection.fileno(), file.fileno(), first, last - first + 1)

    def _answer(self, code: int, body: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


if __name__ == "__main__":
    pairs = zip(sys.argv[2::2], sys.argv[3::2], strict=True)
    keys = {name: Path(path) for path, names in pairs for name in names.split(",")}
    Server(int(sys.argv[1]), keys).serve_forever()
