"""All layers of a step's confinement, in the order in which a process can apply them to itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

from litegate.execution.sandbox import Confinement
from litegate.execution.sandbox.files import close_files
from litegate.execution.sandbox.layout import layout
from litegate.execution.sandbox.limits import limit_threads, set_limits
from litegate.execution.sandbox.mounts import keep_mounts_private, own_shared_memory, private_root
from litegate.execution.sandbox.namespaces import (
    HOST_NAME,
    IPC,
    MOUNTS,
    NETWORK,
    PROCESSES,
    drop_capabilities,
    leave,
    may_leave,
)
from litegate.execution.sandbox.places import places
from litegate.execution.sandbox.refusals import Layer, Refusals, in_words
from litegate.execution.sandbox.seccomp import refuse_calls
from litegate.execution.sandbox.supervision import become_step
from litegate.execution.sandbox.watch import most_threads
from litegate.processes import die_with_parent

__all__ = ["confine"]


def confine(confinement: Confinement, channel: int | None = None) -> tuple[str, ...]:
    """Apply limits, and isolation as far as the kernel lets us; this returns in another process if it is confined.

    Args:
        channel: a descriptor to which goes why the step was ended, if it was; see `Ending.exceeded`.

    Returns:
        What the kernel does not let us do, in words.
    """
    missing: tuple[str, ...] = ()
    if confinement.confined:
        missing = _isolate(confinement, channel)
    else:
        die_with_parent(confinement.parent)
        if channel is not None:
            os.close(channel)
    set_limits(confinement.memory, confinement.file_size)
    return missing


def _isolate(confinement: Confinement, channel: int | None) -> tuple[str, ...]:
    refused: Refusals = {}
    own_user = False
    with _noting(refused, "processes"):
        own_user = may_leave()
        leave(PROCESSES)
    die_with_parent(confinement.parent)
    become_step(confinement, "processes" not in refused, partial(_leave_host, confinement, refused), channel)
    if own_user:
        limit_threads(_kernels_limit(confinement))
    landlock = 0
    with _noting(refused, "landlock"):
        landlock = close_files(confinement, own_mounts="mounts" not in refused)
    with _noting(refused, "seccomp"):
        refuse_calls(network="network" not in refused, shared="ipc" not in refused)
    return in_words(refused, landlock)


def _leave_host(confinement: Confinement, refused: Refusals) -> bool:
    """What the first process does for the step that it will start; whether /proc shows their processes alone."""
    with _noting(refused, "network"):
        leave(NETWORK)
    with _noting(refused, "ipc"):
        leave(IPC)
    with suppress(OSError):  # nobody may change the name of a host in any case
        leave(HOST_NAME)
    _leave_mounts(confinement, refused)
    drop_capabilities()
    return not refused.keys() & {"processes", "mounts", "proc"}


def _leave_mounts(confinement: Confinement, refused: Refusals) -> None:
    try:
        leave(MOUNTS)
        keep_mounts_private()
    except OSError as error:  # what is mounted from here on would be mounted on the host
        refused["mounts"] = refused["shared memory"] = error
        return
    with _noting(refused, "mounts"):
        _make_root(confinement, refused)
    if "mounts" in refused:
        with _noting(refused, "shared memory"):
            own_shared_memory()


def _make_root(confinement: Confinement, refused: Refusals) -> None:
    plan = layout(places(confinement), map(os.path.realpath, confinement.hidden))
    most_ids = _kernels_limit(confinement) if "processes" not in refused else None
    error = private_root(plan, confinement.write[0], most_ids)
    if error is not None:
        refused["proc"] = error


def _kernels_limit(confinement: Confinement) -> int:
    """So far above the supervisor's that it can say what happened, and so low that the host has room meanwhile."""
    return 2 * most_threads(confinement.processes)


@contextmanager
def _noting(refused: Refusals, layer: Layer) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        refused[layer] = error
