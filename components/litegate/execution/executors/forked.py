"""Processes that a warm parent forks."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from typing_extensions import override

from litegate.execution.executor import PreparedStep
from litegate.execution.executors.cold import arguments_of
from litegate.execution.executors.process import Process
from litegate.execution.warm.door import connected, open_key
from litegate.execution.warm.inherited import inherited
from litegate.execution.warm.parent import MOST_BYTES
from litegate.execution.warm.task import described
from litegate.processes import end_session

__all__ = ["ForkedProcess", "NoFork", "forked"]

_LOADING = 120.0
"""Seconds that a parent may take to load; its answer takes milliseconds then."""
_POLL = 0.1


class NoFork(Exception):
    """A parent is there, and gives no process: the message says why."""


class ForkedProcess(Process):
    """The child of a warm parent, which says by the connection how it ended; with the connection it is ended.

    Args:
        number: its process id, which is its own until the connection can be read.
    """

    def __init__(self, connection: socket.socket, number: int, output: int, channel: int) -> None:
        self._connection, self._number = connection, number
        self.output, self.channel, self.ended = output, channel, connection.fileno()

    @override
    def terminate(self) -> None:
        if not self.has_ended():
            with suppress(ProcessLookupError):
                os.kill(self._number, signal.SIGTERM)

    @override
    def kill(self) -> None:
        if not self.has_ended():
            end_session(self._number)

    @override
    def has_ended(self) -> bool:
        """Whether the parent has said so, or has ended itself and has taken its child along."""
        return self._connection.fileno() < 0 or _can_be_read(self._connection, 0)

    @override
    def code(self) -> int:
        with self._connection:
            return int(_heard(self._connection).get("code", -signal.SIGKILL))


def forked(folder: Path, prepared: PreparedStep, given_up: threading.Event) -> ForkedProcess | None:
    """The process of a step, from the parent of its interpreter; None if there is none in this folder.

    Args:
        given_up: once it is set nobody waits for a parent that is loading.

    Raises:
        NoFork: there is one, and it gives none.
    """
    try:
        connection = connected(folder, prepared.python)
        if connection is None:
            return None
        key = open_key(folder, prepared.python)
    except OSError as error:
        raise NoFork(f"it does not answer: {error.strerror}") from None
    output, theirs = os.pipe()
    channel, their_channel = os.pipe()
    description = described(arguments_of(prepared), str(prepared.folder), prepared.environment)
    try:
        _ask(connection, prepared, [theirs, their_channel, description, key])
        return ForkedProcess(connection, _number(connection, given_up), output, channel)
    except BaseException:
        connection.close()
        _close(output, channel)
        raise
    finally:
        _close(theirs, their_channel, description, key)


def _ask(connection: socket.socket, prepared: PreparedStep, descriptors: list[int]) -> None:
    message = json.dumps(inherited(prepared.environment, prepared.python)).encode("utf-8", "surrogateescape")
    if len(message) > MOST_BYTES:
        raise NoFork("the variables that matter at the start of a process are too long")
    try:
        socket.send_fds(connection, [message], descriptors)
    except OSError as error:
        raise NoFork(f"it does not answer: {error.strerror}") from None


def _number(connection: socket.socket, given_up: threading.Event) -> int:
    """The process id of the child, once the parent has loaded."""
    deadline = time.monotonic() + _LOADING
    while not _can_be_read(connection, _POLL):
        if given_up.is_set():
            raise NoFork("the step was ended while the warm parent was loading")
        if time.monotonic() > deadline:
            raise NoFork(f"it did not answer within {_LOADING:g} s")
    answer = _heard(connection)
    if "process" not in answer:
        raise NoFork(answer.get("refused", "it ended"))
    return int(answer["process"])


def _heard(connection: socket.socket) -> Mapping[str, Any]:
    """A message; empty if the parent has ended."""
    data = b""
    with suppress(OSError):
        data = connection.recv(MOST_BYTES)
    answer: dict[str, Any] = json.loads(data) if data else {}
    return answer


def _can_be_read(connection: socket.socket, seconds: float) -> bool:
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
