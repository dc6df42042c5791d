"""System calls that Python has no function for."""

from __future__ import annotations

import ctypes
import os

__all__ = ["call", "no_new_privileges", "prctl", "syscall"]

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
_PR_SET_NO_NEW_PRIVS = 38


def call(name: str, *arguments: object) -> int:
    """Call a function of the C library.

    Raises:
        OSError: it failed.
    """
    return _checked(name, getattr(_libc, name)(*arguments))


def syscall(number: int, *arguments: object) -> int:
    """Call the kernel by number.

    Raises:
        OSError: it failed.
    """
    given = (ctypes.c_long(value) if isinstance(value, int) else value for value in arguments)
    return _checked(f"system call {number}", _libc.syscall(ctypes.c_long(number), *given))


def prctl(option: int, value: int = 0) -> int:
    """Change this process.

    Raises:
        OSError: it failed.
    """
    return call("prctl", option, *(ctypes.c_ulong(each) for each in (value, 0, 0, 0)))


def no_new_privileges() -> None:
    """No program that is run from here on gains privileges; Landlock asks for this."""
    prctl(_PR_SET_NO_NEW_PRIVS, 1)


def _checked(name: str, result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result
