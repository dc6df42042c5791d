"""What a host's kernel or container refuses, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from litegate.execution.sandbox.landlock import NETWORK_VERSION

__all__ = ["Layer", "Refusals", "in_words"]

Layer = Literal["processes", "network", "ipc", "mounts", "proc", "shared memory", "seccomp", "landlock"]
Refusals = dict[Layer, OSError]


def in_words(refused: Refusals, landlock_version: int) -> tuple[str, ...]:
    """What is missing, and what that leaves open; nothing if nothing is."""
    return tuple(f"{what} ({error.strerror}): {left}" for what, error, left in _missing(refused, landlock_version))


def _missing(refused: Refusals, landlock_version: int) -> Iterator[tuple[str, OSError, str]]:
    """The layer that is missing, why, and what follows from that."""
    if error := refused.get("network"):
        yield "no network namespace", error, _network(refused, landlock_version)
    if error := refused.get("mounts"):
        shared = "; /dev/shm is shared with the host" if "shared memory" in refused else ""
        left = "modes, owners, times and attributes of files can be changed, and other processes be seen"
        yield "no private mounts", error, left + shared
    if error := refused.get("processes"):
        yield "no process namespace", error, "other processes can be seen"
    elif error := refused.get("proc"):
        yield "no /proc of its own", error, "other processes can be seen"
    if error := refused.get("ipc"):
        left = "System V's memory is shared with the host" if "seccomp" in refused else "System V's memory is refused"
        yield "no IPC namespace", error, left
    if error := refused.get("seccomp"):
        yield "no seccomp filter", error, "all system calls can be made"
    if error := refused.get("landlock"):
        left = "files are as open as they are to the user" if "mounts" in refused else "mounts alone close files"
        yield "no Landlock", error, left


def _network(refused: Refusals, landlock_version: int) -> str:
    if "seccomp" not in refused:
        return "Internet sockets are refused instead"
    return "TCP alone is closed" if landlock_version >= NETWORK_VERSION else "the network is open"
