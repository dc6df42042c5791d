"""A small S3 server over one file, which it has under many names; it answers a range without reading the rest.

moto reads a whole object for each range, so that what is saved by asking for less would not be seen. It knows a list
of objects (`list-type=2`) and GET with `Range` and `If-Match`, and counts the bytes of the objects that it has sent.
It reads requests by itself, as `http.server` takes longer for one than whoever asks for a range.

    python -m tests.benchmarks.range_server PORT FILE NAMES [FILE NAMES ...]
"""

from __future__ import annotations

import os
import socket
import sys
import threading
from http import HTTPStatus
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

VERSION = '"0123456789abcdef0123456789abcdef"'
_HEAD = "HTTP/1.1 {} {}\r\nServer: ranges\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Length: {}\r\n{}\r\n"
_OBJECT = f"ETag: {VERSION}\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n"


class Server(ThreadingTCPServer):
    """Files by key, and what was sent of them."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, port: int, files: dict[str, Path]) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.files, self.sent, self.lock = files, 0, threading.Lock()
        self.opened = {path: path.open("rb") for path in set(files.values())}
        self.server_port = self.server_address[1]

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients hang up when they like."""

    def server_close(self) -> None:
        super().server_close()
        for file in self.opened.values():
            file.close()


class Handler(StreamRequestHandler):
    """Path-style addresses: `/bucket/key`."""

    disable_nagle_algorithm = True
    server: Server

    def handle(self) -> None:
        """Answer request after request, until the client hangs up."""
        while line := self.rfile.readline():
            headers = {}
            while header := self.rfile.readline().strip():
                name, _, value = header.decode().partition(":")
                headers[name.lower()] = value.strip()
            self._get(line.decode().split(" ")[1], headers)

    def _get(self, target: str, headers: dict[str, str]) -> None:
        parts = urlsplit(target)
        key = parts.path.lstrip("/").partition("/")[2]
        if parts.path == "/sent":
            self._answer(200, str(self.server.sent).encode())
        elif not key:
            self._answer(200, self._listing(parse_qs(parts.query)["prefix"][0]))
        elif headers.get("if-match") not in (None, VERSION):
            self._answer(412, b"<Error><Code>PreconditionFailed</Code></Error>")
        else:
            self._send(self.server.files[key], headers.get("range"))

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

    def _send(self, path: Path, part: str | None) -> None:
        file = self.server.opened[path].fileno()
        size = os.fstat(file).st_size
        first, last = map(int, part.removeprefix("bytes=").split("-")) if part else (0, size - 1)
        place = f"Content-Range: bytes {first}-{last}/{size}\r\n" if part else ""
        self._begin(206 if part else 200, last - first + 1, _OBJECT + place)
        with self.server.lock:
            self.server.sent += last - first + 1
        while first <= last:
            first += os.sendfile(self.connection.fileno(), file, first, last - first + 1)

    def _begin(self, code: int, size: int, headers: str) -> None:
        head = _HEAD.format(code, HTTPStatus(code).phrase, size, headers)
        self.connection.send(head.encode(), socket.MSG_MORE)  # with the body, as one packet

    def _answer(self, code: int, body: bytes) -> None:
        self._begin(code, len(body), "Content-Type: application/xml\r\n")
        self.connection.sendall(body)


if __name__ == "__main__":
    pairs = zip(sys.argv[2::2], sys.argv[3::2], strict=True)
    keys = {name: Path(path) for path, names in pairs for name in names.split(",")}
    Server(int(sys.argv[1]), keys).serve_forever()
