"""seccomp: which system calls a confined process cannot make, in the kernel's own small filter language.

Refused is what no step needs and what has let programs out of sandboxes before: mounts and namespaces, other
processes' memory, keys, kernel modules, clocks, and interfaces to the kernel that are as large as they are rarely
used. See https://docs.kernel.org/userspace-api/seccomp_filter.html
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

from litegate.execution.sandbox.kernel import syscall
from litegate.execution.sandbox.syscalls import ARCHITECTURES, number_of

__all__ = ["program", "refuse_calls"]

_REFUSED = (
    *("acct", "add_key", "adjtimex", "bpf", "chroot", "clock_adjtime", "clock_settime", "delete_module"),
    *("fanotify_init", "finit_module", "fsconfig", "fsmount", "fsopen", "fspick", "init_module"),
    *("io_uring_enter", "io_uring_register", "io_uring_setup", "ioperm", "iopl", "kcmp", "kexec_file_load"),
    *("kexec_load", "keyctl", "lookup_dcookie", "modify_ldt", "mount", "mount_setattr", "move_mount", "nfsservctl"),
    *("open_by_handle_at", "open_tree", "open_tree_attr", "perf_event_open", "personality", "pidfd_getfd"),
    *("pivot_root", "process_mrelease", "process_vm_readv", "process_vm_writev", "ptrace"),
    *("quotactl", "quotactl_fd", "reboot", "request_key", "setdomainname", "sethostname", "setns", "settimeofday"),
    *("swapoff", "swapon", "syslog", "umount2", "unshare", "uselib", "userfaultfd", "vhangup"),
)
_SHARED_BETWEEN_PROCESSES = ("shmget", "semget", "msgget", "mq_open")
_NEW_NAMESPACES = 0x7E020000
_AF_UNIX, _AF_INET, _AF_INET6 = 1, 2, 10
_PR_SET_DUMPABLE = 4
_TERMINAL_INPUT = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX, which type into the terminal that a program runs in."""

_AUDIT_ARCHITECTURES = dict(zip(ARCHITECTURES, (0xC000003E, 0xC00000B7), strict=True))
_X32 = 0x40000000
_KILL, _ERROR, _ALLOW = 0x80000000, 0x50000, 0x7FFF0000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_SET_FILTER, _SPECULATE = 1, 4


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def refuse_calls(network: bool, shared: bool) -> None:
    """From now on, and for every process that this one starts; after `no_new_privileges`.

    Speculation is left as it is: it would change what a benchmark measures, and there are no secrets in here.

    Args:
        network: whether Internet sockets may be made: whether it has a network of its own.
        shared: whether System V's memory, semaphores and queues may be made: whether it has its own.

    Raises:
        OSError: the kernel has no seccomp, or we do not know this processor.
    """
    code = program(network, shared)
    filtered = _Program(len(code) // 8, code)
    syscall("seccomp", _SET_FILTER, _SPECULATE, ctypes.byref(filtered))


def program(network: bool, shared: bool) -> bytes:
    """The filter for this processor: instructions of eight bytes each.

    Raises:
        OSError: we do not know this processor.
    """
    families = [_AF_UNIX, *([_AF_INET, _AF_INET6] if network else [])]
    refused = [*_REFUSED, *([] if shared else _SHARED_BETWEEN_PROCESSES)]
    code = _begin()
    code += [part for name in refused for part in _refuse(name)]
    code += _call("clone3", [(_RETURN, 0, 0, _ERROR | errno.ENOSYS)])  # the C library then uses clone
    code += _call("clone", [_argument(0), (_ANY_BIT, 0, 1, _NEW_NAMESPACES), _refusal(), _allowance()])
    code += _call("socket", [_argument(0), *_allow_only(families)])
    code += _call("prlimit64", [_argument(0), *_allow_only([0])])  # its own limits
    code += _call("ioctl", [_argument(1), *_refuse_values(_TERMINAL_INPUT)])
    code += _call("prctl", [_argument(0), *_refuse_values((_PR_SET_DUMPABLE,))])  # its files are looked at from outside
    code.append(_allowance())
    return b"".join(struct.pack("HBBI", *each) for each in code)


Instruction = tuple[int, int, int, int]
"""What to do, how many to skip if it holds and if not, and a value."""


def _begin() -> list[Instruction]:
    """Another processor's calls, such as those of 32 bits, have other numbers: they end the process."""
    machine = os.uname().machine
    number_of("seccomp")  # which raises if the processor is not known
    check = [(_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 1, 0, _AUDIT_ARCHITECTURES[machine]), (_RETURN, 0, 0, _KILL)]
    check.append((_LOAD, 0, 0, _NUMBER))
    return [*check, (_AT_LEAST, 0, 1, _X32), (_RETURN, 0, 0, _ERROR | errno.ENOSYS)]


def _call(name: str, then: list[Instruction]) -> list[Instruction]:
    """What happens with a call; `then` ends with a decision, and the number stays loaded for all others."""
    number = number_of(name)
    return [] if number is None else [(_EQUAL, 0, len(then), number), *then]


def _refuse(name: str) -> list[Instruction]:
    return _call(name, [_refusal()])


def _argument(index: int) -> Instruction:
    """The lower half of an argument, on processors that have it first."""
    return (_LOAD, 0, 0, _ARGUMENTS + 8 * index)


def _allow_only(values: list[int]) -> list[Instruction]:
    return [part for value in values for part in ((_EQUAL, 0, 1, value), _allowance())] + [_refusal()]


def _refuse_values(values: tuple[int, ...]) -> list[Instruction]:
    return [part for value in values for part in ((_EQUAL, 0, 1, value), _refusal())] + [_allowance()]


def _refusal() -> Instruction:
    return (_RETURN, 0, 0, _ERROR | errno.EPERM)


def _allowance() -> Instruction:
    return (_RETURN, 0, 0, _ALLOW)
