"""Namespaces of the step's own, and giving up what root may do."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
from pathlib import Path

from litegate.execution.sandbox.kernel import call, no_new_privileges, prctl

__all__ = ["HOST_NAME", "IPC", "MOUNTS", "NETWORK", "PROCESSES", "drop_capabilities", "leave", "may_leave"]

MOUNTS, HOST_NAME, IPC, PROCESSES, NETWORK = 0x20000, 0x4000000, 0x8000000, 0x20000000, 0x40000000
_USER = 0x10000000
_PR_CAPBSET_DROP, _LAST_CAPABILITY = 24, 63
_CAP_DAC_OVERRIDE, _CAP_SYS_ADMIN, _CAP_SETFCAP = 1, 21, 31
_CAPABILITY_VERSION = 0x20080522


def may_leave() -> bool:
    """Become able to leave namespaces: root is, others are within a user namespace, in which they keep their user id.

    Returns:
        Whether this is now in a user namespace of its own.

    Raises:
        OSError: the kernel does not allow it.
    """
    if _permitted() >> _CAP_SYS_ADMIN & 1:
        return False
    user, group = os.geteuid(), os.getegid()
    if user == 0 and not _permitted() >> _CAP_SETFCAP & 1:  # the kernel would then not let us keep our user id
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
    call("unshare", _USER)
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        Path("/proc/self", name).write_text(text)
    return True


def leave(namespace: int) -> None:
    """Move into an empty namespace; one of processes begins with the next process that is started.

    A network of its own has not even a loopback address.

    Raises:
        OSError: the kernel does not allow it.
    """
    call("unshare", namespace)


def drop_capabilities() -> None:
    """Give up what root may do beyond reading and writing files, for good; others have nothing to give up."""
    no_new_privileges()
    for number in range(_LAST_CAPABILITY + 1):
        with contextlib.suppress(OSError):
            prctl(_PR_CAPBSET_DROP, number)
    keep = (1 << _CAP_DAC_OVERRIDE) & _permitted()  # files of other users that root may read today
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    call("capset", header, (ctypes.c_uint32 * 6)(keep, keep, 0, 0, 0, 0))


def _permitted() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1], 16) for line in lines if line.startswith("CapPrm:"))
