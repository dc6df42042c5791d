"""What a fork of a warm parent is to do, and how it becomes a process like one that was started for that."""

from __future__ import annotations

import gc
import importlib
import json
import multiprocessing
import multiprocessing.process
import os
import resource
import signal
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Task", "described"]

_CHANNEL = 3


@dataclass(frozen=True)
class Task:
    """A step, in the process that is to run it.

    Attributes:
        parent: process id of the warm parent.
        size: bytes of address space that the parent had mapped.
        description: a file in memory with arguments and variables, which the parent has not read.
        output, channel: where it writes to; see `litegate.execution.executors.process.Process`.
        defaults: variables that imports have set, unless they were set before.
    """

    parent: int
    size: int
    description: int
    output: int
    channel: int
    defaults: Mapping[str, str]

    def begin(self) -> list[str]:
        """Become the process of this step, in a session and with streams and variables of its own.

        Returns:
            The arguments of `litegate.execution.sandbox`.
        """
        os.setsid()
        given = json.loads(os.pread(self.description, os.fstat(self.description).st_size, 0))
        self._take_streams()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.environ.clear()
        os.environ.update({**self.defaults, **given["environment"]})
        _move(given["folder"])
        _forget()
        arguments = [*given["arguments"], str(_CHANNEL)]
        sys.argv[1:] = arguments
        return arguments

    def _take_streams(self) -> None:
        """Keep the streams and the channel, and close all else: the parent's socket and those of other steps."""
        null = os.open(os.devnull, os.O_RDONLY)
        for descriptor, target in ((null, 0), (self.output, 1), (self.output, 2), (self.channel, _CHANNEL)):
            os.dup2(descriptor, target)
        os.closerange(_CHANNEL + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def described(arguments: list[str], folder: str, environment: Mapping[str, str]) -> int:
    """A file in memory that says what is to be done; variables may be secret, and it has no name to find it by."""
    descriptor = os.memfd_create("step", os.MFD_CLOEXEC)
    text = json.dumps({"arguments": arguments, "folder": folder, "environment": dict(environment)})
    with os.fdopen(os.dup(descriptor), "wb") as file:
        file.write(text.encode("utf-8", "surrogateescape"))
    return descriptor


def _move(folder: str) -> None:
    """Into the work folder, where `python -m` would have been started."""
    own = os.getcwd()  # noqa: PTH109
    os.chdir(folder)
    multiprocessing.process.__dict__["ORIGINAL_DIR"] = folder
    sys.path[:] = [folder if path == own else path for path in sys.path]
    importlib.invalidate_caches()


def _forget() -> None:
    """What must differ from the parent's other children, or was remembered from the parent's variables.

    Python's own `random`, and what asks the kernel, take care of themselves.
    """
    tempfile.tempdir = None
    multiprocessing.current_process().authkey = os.urandom(32)
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()
    gc.enable()
