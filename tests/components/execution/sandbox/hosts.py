"""What the host has after a step, and the same host as a user who is not root has it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["NOBODY", "as_nobody", "running"]

NOBODY = 65534

# In mounts of its own, in which Python can be reached also if it lies in root's home.
_BECOME = """
import ctypes, os, stat, sys
from pathlib import Path
from litegate.execution.sandbox.kernel import call
NEW_MOUNTS, BIND, RECURSIVE, PRIVATE = 0x20000, 0x1000, 0x4000, 1 << 18
def mount(source, target, kind, flags):
    call("mount", source.encode(), str(target).encode(), kind, ctypes.c_ulong(flags), b"mode=755" if kind else None)
user, base = int(sys.argv[1]), Path(sys.base_prefix)
closed = next((each for each in reversed(base.parents) if not each.stat().st_mode & stat.S_IXOTH), None)
if closed is not None:
    call("unshare", NEW_MOUNTS)
    mount("none", "/", None, RECURSIVE | PRIVATE)
    there = os.open(base, os.O_PATH)
    mount("tmpfs", closed, b"tmpfs", 0)
    base.mkdir(parents=True)
    mount(f"/proc/self/fd/{there}", base, None, BIND)
os.setgroups([])
os.setresgid(user, user, user)
os.setresuid(user, user, user)
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""


def running(mark: str) -> list[str]:
    """The numbers of the processes that have `mark` in their command line."""
    found = []
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            try:
                command = (path / "cmdline").read_bytes()
            except OSError:
                continue
            if mark.encode() in command:
                found.append(path.name)
    return found


def as_nobody(
    code: str, *arguments: str, descriptors: Sequence[int] = (), before: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run code as a user without any privilege: who runs the tests, or another one if that is root.

    Args:
        before: what root does first in a shell, in mounts of its own.
    """
    command = [sys.executable, "-c", code, *arguments]
    if os.geteuid() == 0:
        command = [sys.executable, "-c", _BECOME, str(NOBODY), *command[1:]]
    if before:
        command = ["unshare", "--mount", "sh", "-c", f'{before} && exec "$@"', "sh", *command]
    return subprocess.run(command, capture_output=True, text=True, check=False, pass_fds=descriptors, timeout=120)
