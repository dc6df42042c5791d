"""What the filter decides on each processor, by a small interpreter of its language, and what the kernel does."""

from __future__ import annotations

import errno
import os
import struct
import subprocess
import sys
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from litegate.execution.sandbox.seccomp import program
from litegate.execution.sandbox.syscalls import ARCHITECTURES, NUMBERS

AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
ALLOWED, KILLED, REFUSED, UNKNOWN = 0x7FFF0000, 0x80000000, 0x50000 | errno.EPERM, 0x50000 | errno.ENOSYS


def decide(code: bytes, number: int, audit: int, *arguments: int) -> int:
    """What the kernel would return for a call."""
    data = struct.pack("<IIQ6Q", number, audit, 0, *(*arguments, 0, 0, 0, 0, 0, 0)[:6])
    instructions = list(struct.iter_unpack("HBBI", code))
    at = loaded = 0
    while True:
        kind, yes, no, value = instructions[at]
        at += 1
        if kind == 0x06:
            return int(value)
        if kind == 0x20:
            (loaded,) = struct.unpack_from("<I", data, value)
        else:
            holds = {0x15: loaded == value, 0x35: loaded >= value, 0x45: bool(loaded & value)}[kind]
            at += yes if holds else no


@dataclass(frozen=True)
class Call:
    name: str
    decision: int
    arguments: tuple[int, ...] = ()
    network: bool = True
    shared: bool = True


CALLS = [
    *(Call(name, REFUSED) for name in ("mount", "unshare", "setns", "ptrace", "bpf", "keyctl", "io_uring_setup")),
    *(Call(name, REFUSED) for name in ("open_by_handle_at", "kexec_load", "init_module", "settimeofday", "swapon")),
    Call("clone3", UNKNOWN),
    Call("clone", ALLOWED, (0x3D0F00,)),  # a thread
    Call("clone", ALLOWED, (17,)),  # a process
    *(Call("clone", REFUSED, (17 | flag,)) for flag in (0x20000, 0x2000000, 0x10000000, 0x20000000, 0x40000000)),
    Call("socket", ALLOWED, (1,)),
    Call("socket", ALLOWED, (2,)),
    Call("socket", ALLOWED, (10,)),
    Call("socket", REFUSED, (2,), network=False),
    Call("socket", REFUSED, (10,), network=False),
    *(Call("socket", REFUSED, (family,)) for family in (0, 3, 16, 17, 38, 40)),
    Call("prlimit64", ALLOWED, (0, 7)),
    Call("prlimit64", REFUSED, (1, 7)),
    Call("ioctl", ALLOWED, (0, 0x5401)),
    Call("ioctl", REFUSED, (0, 0x5412)),
    Call("prctl", ALLOWED, (15,)),
    Call("prctl", REFUSED, (4,)),
    Call("shmget", ALLOWED),
    Call("shmget", REFUSED, shared=False),
    Call("mq_open", REFUSED, shared=False),
    Call("landlock_restrict_self", ALLOWED),
    Call("pidfd_open", ALLOWED),
]


@pytest.mark.parametrize("machine", ARCHITECTURES)
@pytest.mark.parametrize("call", CALLS, ids=str)
def test_a_call_is_decided(call: Call, machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(machine=machine))
    code = program(call.network, call.shared)
    number = NUMBERS[call.name][ARCHITECTURES.index(machine)]
    assert number is not None
    assert decide(code, number, AUDIT[machine], *call.arguments) == call.decision
    assert decide(code, number, 0x40000003, *call.arguments) == KILLED, "calls of 32 bits"
    assert decide(code, 0x40000000 | number, AUDIT[machine], *call.arguments) == UNKNOWN, "those of x32"


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_all_that_is_not_named_is_allowed(machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(machine=machine))
    named = {numbers[ARCHITECTURES.index(machine)] for numbers in NUMBERS.values()}
    others = set(range(470)) - named
    assert {decide(program(True, True), number, AUDIT[machine]) for number in others} == {ALLOWED}


def test_an_unknown_processor_has_no_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(machine="riscv64"))
    with pytest.raises(OSError, match="on riscv64 is not known"):
        program(True, True)


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="only there a process can make calls of 32 bits")
def test_the_kernel_ends_a_process_that_makes_a_call_of_another_processor() -> None:
    code = """
import ctypes, mmap
from litegate.execution.sandbox.kernel import no_new_privileges
from litegate.execution.sandbox.seccomp import refuse_calls
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(b"\\xb8\\x14\\0\\0\\0\\xcd\\x80\\xc3")  # getpid by int 0x80
call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
no_new_privileges()
refuse_calls(True, True)
call()
"""
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode in (-31, -11), "SIGSYS, or SIGSEGV of a kernel that has no such calls at all"
