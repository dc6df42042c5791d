"""The ports of a home's servers: the same ones at every start, so that links to them stay good."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from pydantic import ValidationError

from litegate.errors import BadInput, StackError
from litegate.record import Record
from litegate.stack.home import Home, write_private

__all__ = ["Asked", "Claim", "Ports", "claimed", "kept_ports", "moves"]

_TRIES = 100


class Ports(Record):
    """Where the servers listen on loopback; at first where servers of their kind usually do.

    The defaults lie below the range from which the kernel takes ports for outgoing connections: from within it,
    a health check could be given the very port that it polls, connect to itself and keep the server out.

    Attributes:
        airflow, mlflow, s3: port numbers.
    """

    airflow: int = 8080
    mlflow: int = 5000
    s3: int = 9000


@dataclass(frozen=True)
class Asked:
    """Ports that a person asks for; None leaves one to us."""

    airflow: int | None = None
    mlflow: int | None = None

    def of(self, server: str) -> int | None:
        """The port of a server by its name."""
        return {"airflow": self.airflow, "mlflow": self.mlflow}.get(server)


@dataclass(frozen=True)
class Claim:
    """Ports that no other start is given for as long as any process has the descriptors open."""

    ports: Ports
    descriptors: tuple[int, ...]


def kept_ports(home: Home) -> Ports | None:
    """Those of the home's last start; None where it has had none."""
    try:
        return Ports.model_validate_json(home.ports.read_text())
    except (FileNotFoundError, ValidationError):
        return None


def moves(before: Ports | None, now: Ports | None) -> list[str]:
    """Which servers are not where they were, for people."""
    if before is None or now is None:
        return []
    pairs = zip(before, now, strict=True)
    return [
        f"{name} was at port {old} and is at {new} now: links to it from before lead elsewhere"
        for (name, old), (_, new) in pairs
        if old != new
    ]


@contextmanager
def claimed(home: Home, asked: Asked | None = None) -> Iterator[Claim]:
    """Free ports: those that are asked for, else those of the last start, else the next that are free.

    Raises:
        BadInput: a port that is asked for is taken.
        StackError: a hundred ports in a row are taken.
    """
    found: dict[str, int] = {}
    with ExitStack() as held:
        claims = []
        for server, usual in (kept_ports(home) or Ports()).model_dump().items():
            found[server], claim = _claim((asked or Asked()).of(server), usual, server)
            claims.append(held.enter_context(claim))
        ports = Ports(**found)
        write_private(home.ports, ports.model_dump_json() + "\n")
        yield Claim(ports, tuple(claim.fileno() for claim in claims))


def _claim(asked: int | None, usual: int, server: str) -> tuple[int, socket.socket]:
    for port in range(usual, usual + _TRIES) if asked is None else (asked,):
        claim = _claim_of(port)
        if claim is not None:
            return port, claim
    if asked is not None:
        raise BadInput(f"--{server}-port", "a free port", f"{asked}, which another server has")
    raise StackError(f"no port from {usual} to {usual + _TRIES - 1} is free for {server}")


def _claim_of(port: int) -> socket.socket | None:
    """A port's claim; None if the port is taken, or another start has claimed it and its server does not listen yet.

    The claim is a name in the kernel that lives as long as a process has it, and as far as the port reaches: every
    user of this network namespace sees it.
    """
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0litegate-port-{port}")
        with socket.socket() as probe:
            # As servers do: what is left of the connections of one that has just ended is in nobody's way.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
    except (OSError, OverflowError):
        claim.close()
        return None
    return claim
