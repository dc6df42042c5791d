"""Leaving the network and the host's shared memory, and giving up what root may do."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
from pathlib import Path

from litegate.sandbox.kernel import call, no_new_privileges, prctl

__all__ = ["drop_capabilities", "leave_network"]

_NEW_MOUNTS, _NEW_USER, _NEW_NETWORK = 0x20000, 0x10000000, 0x40000000
_NO_SUID, _NO_DEVICES, _RECURSIVE, _PRIVATE = 2, 4, 0x4000, 1 << 18
_PR_CAPBSET_DROP, _LAST_CAPABILITY = 24, 63
_CAP_DAC_OVERRIDE, _CAP_SETFCAP = 1, 31
_CAPABILITY_VERSION = 0x20080522


def leave_network() -> bool:
    """Move into an empty network, without even a loopback address.

    Root may; others may within a user namespace of their own, in which they keep their user id. The process
    must have a single thread. Its shared memory becomes its own with it, where mounts are allowed.

    Returns:
        Whether shared memory is now its own.

    Raises:
        OSError: the kernel does not allow it.
    """
    try:
        call("unshare", _NEW_NETWORK)
    except OSError:
        _leave_as_user()
    with contextlib.suppress(OSError):
        _own_shared_memory()
        return True
    return False


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


def _leave_as_user() -> None:
    user, group = os.geteuid(), os.getegid()
    if user == 0 and not _permitted() >> _CAP_SETFCAP & 1:  # the kernel would then not let us keep our user id
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
    call("unshare", _NEW_USER | _NEW_NETWORK)
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        Path("/proc/self", name).write_text(text)


def _own_shared_memory() -> None:
    call("unshare", _NEW_MOUNTS)
    call("mount", b"none", b"/", None, ctypes.c_ulong(_RECURSIVE | _PRIVATE), None)
    flags = ctypes.c_ulong(_NO_SUID | _NO_DEVICES)
    call("mount", b"tmpfs", b"/dev/shm", b"tmpfs", flags, b"size=25%,mode=1777")
