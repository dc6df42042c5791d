"""Servers on loopback that keep what notifiers send them."""

from __future__ import annotations

import json
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Received:
    """What came to a server.

    Attributes:
        port: where it listens.
        answers: the HTTP code of every answer.
        silence: seconds that it waits before it answers.
    """

    port: int = 0
    answers: int = 200
    silence: float = 0
    paths: list[str] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)

    def events(self) -> list[str]:
        return [body["event"] for body in self.bodies]

    def wait(self, count: int, limit: float = 60) -> None:
        """Wait until so many bodies have come."""
        deadline = time.monotonic() + limit
        while len(self.bodies) < count:
            assert time.monotonic() < deadline, f"expected {count}, got {self.bodies}"
            time.sleep(0.1)


@contextmanager
def web_hook() -> Iterator[Received]:
    """An HTTP server that takes JSON."""
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.paths.append(self.path)
            received.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            time.sleep(received.silence)
            self.send_response(received.answers)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with _serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler), received):
        yield received


@contextmanager
def mail_server() -> Iterator[Received]:
    """A mail server that speaks as much SMTP as a client needs to deliver a message."""
    received = Received()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.say("220 ready")
            while line := self.rfile.readline().strip().upper():
                if line == b"DATA":
                    self.say("354 go on")
                    received.bodies.append(b"".join(iter(self.rfile.readline, b".\r\n")).decode())
                self.say("221 bye" if line == b"QUIT" else "250 ok")

        def say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    with _serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler), received):
        yield received


@contextmanager
def _serving(server: socketserver.TCPServer, received: Received) -> Iterator[None]:
    received.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
