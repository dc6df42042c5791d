"""The processes around a step: a supervisor outside of its namespaces, and the first process inside.

The supervisor was started by the step's parent and does not run anything that is not ours. It ends the step where it
takes too much, and in the end dies of what the step died of, so that the parent sees no difference. The first process
of a process namespace takes everything in it along when it ends.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import NoReturn

from litegate.execution.sandbox import Confinement
from litegate.execution.sandbox.kernel import prctl, syscall
from litegate.execution.sandbox.watch import Exceeded, Watch, descendants, numbers_in
from litegate.processes import die_with_parent

__all__ = ["become_step"]

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_CHILD_SUBREAPER = 1, 4, 36
_BETWEEN_LOOKS, _BETWEEN_LOOKS_AT_ALL = 0.25, 1.0


def become_step(
    confinement: Confinement, own_processes: bool, prepare: Callable[[], bool], channel: int | None
) -> None:
    """Start the two processes around the step; this returns in a third, which is to run it.

    Args:
        own_processes: whether the next process that is started is the first of a namespace.
        prepare: what the first process does before the step; whether /proc now shows that namespace alone.
        channel: a descriptor to which the supervisor writes why it ended the step, if it did.
    """
    prctl(_PR_SET_CHILD_SUBREAPER, 1)  # what loses its parent becomes ours, and is ended by us
    outside, inside = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sys.stdout.flush()
    sys.stderr.flush()
    first = os.fork()
    if first:
        inside.close()
        _Supervisor(first, confinement, outside).run(channel)
    outside.close()
    if channel is not None:
        os.close(channel)
    _begin(inside, prepare)
    number = os.getpid()
    step = os.fork()
    if step:
        _wait_for(step, inside)
    inside.close()
    if own_processes:
        os.setsid()  # a signal to its process group must not reach the supervisor
    die_with_parent(number)


def _begin(inside: socket.socket, prepare: Callable[[], bool]) -> None:
    """End with the supervisor, also if it has ended already, and let it see our processes."""
    whose = b"own" if prepare() else b"host"
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    descriptor = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)
    try:
        socket.send_fds(inside, [whose], [descriptor])
    except OSError:
        os._exit(1)
    os.close(descriptor)


def _wait_for(step: int, inside: socket.socket) -> NoReturn:
    """What the first process does: take care of orphans until the step has ended, and say how it did."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # the kernel keeps signals of default action from a first process
    prctl(_PR_SET_DUMPABLE, 0)
    while True:
        number, status = os.wait()
        if number == step:
            with suppress(OSError):
                inside.send(str(status).encode())
            os._exit(0)


class _Supervisor:
    """What waits outside.

    Args:
        first: the first process.
        outside: where that one says where its processes are seen, and how the step ended.
    """

    def __init__(self, first: int, confinement: Confinement, outside: socket.socket) -> None:
        self._first, self._confinement, self._outside = first, confinement, outside
        self._watch: Watch | None = None
        self._pause = _BETWEEN_LOOKS
        self._status: int | None = None

    def run(self, channel: int | None) -> NoReturn:
        """Wait until the step has ended, or end it; nothing that it started is left then."""
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        exceeded = self._follow()
        status = self._end()
        if exceeded is None and self._watch is not None:
            exceeded = self._watch.of_files([])
        if exceeded is not None and channel is not None:
            os.write(channel, json.dumps(exceeded).encode())
        _leave(256 if exceeded else status)

    def _follow(self) -> Exceeded | None:
        ended = syscall("pidfd_open", self._first, 0)  # not every Python has `os.pidfd_open`
        poll = select.poll()
        poll.register(ended, select.POLLIN)
        poll.register(self._outside, select.POLLIN)
        while True:
            ready = [descriptor for descriptor, _ in poll.poll(self._pause * 1000)]
            if self._outside.fileno() in ready:
                if not self._hear():
                    poll.unregister(self._outside)
            elif ended in ready:  # only then, or what it has said meanwhile would be lost
                return None
            if self._watch is not None and (exceeded := self._watch.look()):
                return exceeded

    def _hear(self) -> bool:
        """One message of the first process; False if there are no more."""
        data, descriptors, _, _ = socket.recv_fds(self._outside, 64, 1)
        if descriptors:
            self._begin_to_watch(data == b"own", descriptors[0])
        elif data:
            self._status = int(data)
        return bool(data)

    def _begin_to_watch(self, own_proc: bool, proc: int) -> None:
        if not own_proc:
            self._pause = _BETWEEN_LOOKS_AT_ALL
        find = numbers_in if own_proc else partial(descendants, of=os.getpid())
        given = self._confinement
        self._watch = Watch(given.write[0], given.disk, given.processes, proc, find)

    def _end(self) -> int:
        """How the step ended, or the first process if it could not say that; what it left behind is ended too."""
        with suppress(ProcessLookupError):
            os.kill(self._first, signal.SIGKILL)
        status = os.waitpid(self._first, 0)[1]
        _end_orphans()
        return status if self._status is None else self._status


def _end_orphans() -> None:
    """What has outlived the first process: nothing, if that was the first of a namespace."""
    with suppress(ChildProcessError):
        while True:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                _end_descendants()
                os.wait()


def _end_descendants() -> None:
    proc = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)
    for number in descendants(proc, os.getpid()):
        with suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
    os.close(proc)


def _leave(status: int) -> NoReturn:
    """End as the step did."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        with suppress(OSError):  # not for those that cannot be handled
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.WEXITSTATUS(status))
