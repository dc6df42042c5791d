"""Landlock: the kernel's way for a process to give up access to files, without root.

The numbers are those of the kernel's `linux/landlock.h`; what an older kernel does not know is left out.
See https://docs.kernel.org/userspace-api/landlock.html
"""

from __future__ import annotations

import ctypes
import os
import stat

from litegate.execution.sandbox.kernel import syscall

__all__ = ["CONTROL", "EXECUTE", "LIST", "NETWORK_VERSION", "READ", "WRITE", "Ruleset", "version"]

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"
_VERSION_FLAG, _PATH_BENEATH = 1, 1

EXECUTE = 1 << 0
_WRITE_FILE, READ, LIST = 1 << 1, 1 << 2, 1 << 3
_REMOVE, _MAKE_FOLDER, _MAKE_FILE, _MAKE_LINK = 0b11 << 4, 1 << 7, 1 << 8, 1 << 12
_MOVE, _TRUNCATE, _DEVICE = 1 << 13, 1 << 14, 1 << 15
WRITE = _WRITE_FILE | _REMOVE | _MAKE_FOLDER | _MAKE_FILE | _MAKE_LINK | _MOVE | _TRUNCATE
"""Write, make and remove files, folders and symbolic links; no devices, sockets or pipes."""

CONTROL = READ | _WRITE_FILE | _DEVICE
"""What there is to do with a device."""

_OF_FILES = EXECUTE | _WRITE_FILE | READ | _TRUNCATE | _DEVICE
_BITS_BY_VERSION = (13, 14, 15, 15, 16)
_TCP, NETWORK_VERSION = 0b11, 4
_SIGNALS_AND_ABSTRACT_SOCKETS, _SCOPES_VERSION = 0b11, 6


class _RulesetAttributes(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


def version() -> int:
    """The version of Landlock that the kernel offers.

    Raises:
        OSError: it offers none.
    """
    return syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG)


class Ruleset:
    """Everything is forbidden but what is allowed: files and TCP, and signals to processes outside.

    Raises:
        OSError: the kernel has no Landlock.
    """

    def __init__(self) -> None:
        self.version = version()
        self._handled = (1 << _BITS_BY_VERSION[min(self.version, len(_BITS_BY_VERSION)) - 1]) - 1
        attributes = _RulesetAttributes(
            self._handled,
            _TCP if self.version >= NETWORK_VERSION else 0,
            _SIGNALS_AND_ABSTRACT_SOCKETS if self.version >= _SCOPES_VERSION else 0,
        )
        size = 24 if self.version >= _SCOPES_VERSION else 16 if self.version >= NETWORK_VERSION else 8
        self._descriptor = syscall(_CREATE_RULESET, ctypes.byref(attributes), size, 0)

    def allow(self, path: str, access: int) -> None:
        """Allow `access` to a file, or to all that lies below a folder; nothing if it does not exist."""
        try:
            target = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            return
        try:
            access &= self._handled
            if not stat.S_ISDIR(os.fstat(target).st_mode):
                access &= _OF_FILES
            if access:
                rule = _PathBeneath(access, target)
                syscall(_ADD_RULE, self._descriptor, _PATH_BENEATH, ctypes.byref(rule), 0)
        finally:
            os.close(target)

    def enforce(self) -> None:
        """From now on, and for every process that this one starts; after `no_new_privileges`, with a single thread."""
        syscall(_RESTRICT_SELF, self._descriptor, 0)
        os.close(self._descriptor)
