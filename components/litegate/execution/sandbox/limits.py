"""Limits of the operating system on a process, inherited by all that it starts."""

from __future__ import annotations

import resource

from litegate.execution.sandbox.kernel import kernel_version

__all__ = ["limit_threads", "set_limits"]

_OPEN_FILES = 4096
_COUNTS_IN_NAMESPACE = (5, 14)
"""The first kernel that counts the threads of a user in each user namespace for itself."""


def set_limits(memory: int, file_size: int) -> None:
    """Limit the address space and the size of files, and leave no core dumps.

    Args:
        memory: bytes of address space. Allocations beyond it fail, whatever the machine has left.
        file_size: bytes. Python gets an `OSError` beyond it.
    """
    _lower(resource.RLIMIT_AS, memory)
    _lower(resource.RLIMIT_FSIZE, file_size)
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_NOFILE, _OPEN_FILES)


def limit_threads(most: int) -> None:
    """Limit processes and threads of the user in this user namespace together; not those of root."""
    if kernel_version() >= _COUNTS_IN_NAMESPACE:
        _lower(resource.RLIMIT_NPROC, most)


def _lower(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(kind, (value, value))
