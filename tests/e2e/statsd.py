"""A server that takes what StatsD's clients send, by their own protocol: lines of text over UDP."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["taking_statsd"]


@contextmanager
def taking_statsd() -> Iterator[tuple[dict[str, str], list[str]]]:
    """What tells Airflow to send its metrics here, and the lines that have come so far."""
    lines: list[str] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        taking = threading.Thread(target=_take, args=(server, lines), daemon=True)
        taking.start()
        port = server.getsockname()[1]
        settings = {"STATSD_ON": "True", "STATSD_HOST": "127.0.0.1", "STATSD_PORT": str(port)}
        yield {f"AIRFLOW__METRICS__{name}": value for name, value in settings.items()}, lines
        server.sendto(b"", ("127.0.0.1", port))
        taking.join()


def _take(server: socket.socket, lines: list[str]) -> None:
    """Until an empty packet comes."""
    while packet := server.recv(65536):
        lines += packet.decode().splitlines()
