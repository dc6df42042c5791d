"""The warm parent: it forks a child for each step that is asked for, and says how the child ended. One thread."""

from __future__ import annotations

import json
import os
import selectors
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from litegate.execution.sandbox.kernel import syscall
from litegate.execution.warm.door import Door
from litegate.execution.warm.inherited import differing
from litegate.execution.warm.loaded import Loaded
from litegate.execution.warm.task import Task
from litegate.processes import end_session

__all__ = ["MOST_BYTES", "WarmParent"]

MOST_BYTES = 1 << 16
"""Of a message."""
_DESCRIPTORS = 4


@dataclass(frozen=True)
class _Child:
    """A step that runs.

    Attributes:
        number: its process id; it is reaped only when its caller has been told how it ended.
        ended: can be read once it has ended.
        caller: who asked for it; with whose end it is ended.
    """

    number: int
    ended: int
    caller: socket.socket


class WarmParent:
    """Serves callers until what it has loaded has changed on the disk and its last child has ended.

    Args:
        door: where callers come from.
        loaded: what has been loaded.
        inherited: what children have from the start of this process.
        defaults: variables that imports have set here.
        meanwhile: what it does while nobody asks for anything, a little with each step.
    """

    def __init__(
        self,
        door: Door,
        loaded: Loaded,
        inherited: Mapping[str, str],
        defaults: Mapping[str, str],
        meanwhile: Iterator[None],
    ) -> None:
        self._door, self._loaded, self._inherited, self._defaults = door, loaded, inherited, defaults
        self._meanwhile = meanwhile
        self._selector = selectors.DefaultSelector()
        self._callers: set[socket.socket] = set()
        self._children: dict[int, _Child] = {}
        self._stale = False

    def run(self) -> Task | None:
        """Serve; this returns a task in the process that is to do it, and None in the parent, at its end."""
        self._on(self._door.listener.fileno(), self._greet)
        at_rest = False
        while self._children or not self._stale:
            ready = self._selector.select(None if at_rest else 0)
            at_rest = at_rest or (not ready and next(self._meanwhile, self) is self)
            for key, _ in ready:
                # Handling one may have done away with another one.
                task: Task | None = key.data() if key.fd in self._selector.get_map() else None
                if task is not None:
                    self._let_go()
                    return task
        return None

    def _on(self, descriptor: int, do: Callable[[], Task | None]) -> None:
        self._selector.register(descriptor, selectors.EVENT_READ, do)

    def _greet(self) -> None:
        with suppress(BlockingIOError):
            caller, _ = self._door.listener.accept()
            self._callers.add(caller)
            self._on(caller.fileno(), partial(self._hear, caller))

    def _hear(self, caller: socket.socket) -> Task | None:
        """The one message of a caller; its end comes here too."""
        data, descriptors = b"", list[int]()
        with suppress(OSError):
            data, descriptors, _, _ = socket.recv_fds(caller, MOST_BYTES, _DESCRIPTORS)
        if len(descriptors) == _DESCRIPTORS and self._door.is_key(descriptors[-1]):
            return self._answer(caller, data, descriptors)
        _close(descriptors)
        self._dismiss(caller)
        return None

    def _answer(self, caller: socket.socket, data: bytes, descriptors: list[int]) -> Task | None:
        refusal = self._refusal(json.loads(data))
        if refusal is None:
            return self._fork(caller, descriptors)
        _close(descriptors)
        _tell(caller, {"refused": refusal})
        self._dismiss(caller)
        return None

    def _refusal(self, wanted: dict[str, str]) -> str | None:
        changed = self._loaded.changed()
        if changed is not None:
            self._end_soon()
            return changed
        others = differing(self._inherited, wanted)
        return f"it was started with other values of {', '.join(others)}" if others else None

    def _end_soon(self) -> None:
        """Our keeper starts another one when we have ended."""
        if not self._stale:
            self._stale = True
            self._selector.unregister(self._door.listener.fileno())
            self._door.close()

    def _fork(self, caller: socket.socket, descriptors: list[int]) -> Task | None:
        own, size = os.getpid(), _address_space()
        number = os.fork()
        if number == 0:
            output, channel, description, _ = descriptors
            return Task(own, size, description, output, channel, self._defaults)
        _close(descriptors)
        self._selector.unregister(caller.fileno())
        child = self._children[number] = _Child(number, syscall("pidfd_open", number, 0), caller)
        self._on(child.ended, partial(self._bury, child))
        self._on(caller.fileno(), partial(self._abandon, child))
        _tell(caller, {"process": number})
        return None

    def _abandon(self, child: _Child) -> None:
        """Nobody waits for it any more."""
        self._selector.unregister(child.caller.fileno())
        end_session(child.number)

    def _bury(self, child: _Child) -> None:
        """Say how it ended before it is reaped: until its caller can know, its process id is its own."""
        found = os.waitid(os.P_PID, child.number, os.WEXITED | os.WNOWAIT)
        assert found is not None
        end_session(child.number)
        _tell(child.caller, {"code": found.si_status if found.si_code == os.CLD_EXITED else -found.si_status})
        os.waitpid(child.number, 0)
        del self._children[child.number]
        self._selector.unregister(child.ended)
        os.close(child.ended)
        self._dismiss(child.caller)

    def _dismiss(self, caller: socket.socket) -> None:
        if caller.fileno() in self._selector.get_map():
            self._selector.unregister(caller.fileno())
        self._callers.discard(caller)
        caller.close()

    def _let_go(self) -> None:
        """What a child has of our descriptors; they stay open here."""
        self._selector.close()
        self._door.listener.close()
        for caller in self._callers:
            caller.close()


def _tell(caller: socket.socket, message: Mapping[str, object]) -> None:
    with suppress(OSError):  # it has gone
        caller.send(json.dumps(message).encode(), socket.MSG_NOSIGNAL | socket.MSG_DONTWAIT)


def _close(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _address_space() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
