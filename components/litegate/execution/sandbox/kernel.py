"""System calls that Python has no function for."""

from __future__ import annotations

import ctypes
import os

from litegate.execution.sandbox.syscalls import number_of

__all__ = ["call", "kernel_version", "no_new_privileges", "prctl", "syscall"]

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
_PR_SET_NO_NEW_PRIVS = 38


def call(name: str, *arguments: object) -> int:
    """Call a function of the C library.

    Raises:
        OSError: it failed.
    """
    return _checked(name, getattr(_libc, name)(*arguments))


def syscall(name: str, *arguments: object) -> int:
    """Call the kernel.

    Raises:
        OSError: it failed.
    """
    number = number_of(name)
    given = (ctypes.c_long(value) if isinstance(value, int) else value for value in arguments)
    return _checked(name, _libc.syscall(ctypes.c_long(-1 if number is None else number), *given))


def prctl(option: int, value: int = 0) -> int:
    """Change this process.

    Raises:
        OSError: it failed.
    """
    return call("prctl", option, *(ctypes.c_ulong(each) for each in (value, 0, 0, 0)))


def no_new_privileges() -> None:
    """No program that is run from here on gains privileges; Landlock and seccomp ask for this."""
    prctl(_PR_SET_NO_NEW_PRIVS, 1)


def kernel_version() -> tuple[int, int]:
    """The kernel's version, such as (6, 14)."""
    major, minor = os.uname().release.split(".")[:2]
    return int(major), int("".join(digit for digit in minor if digit.isdigit()) or 0)


def _checked(name: str, result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result
