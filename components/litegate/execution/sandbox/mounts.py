"""Mounts of the step's own, in which only its own files exist.

A root in memory gets what the step may reach, read-only and under the paths that it has outside, its own work folder,
and a /dev, /proc, /tmp and /dev/shm of its own; then it replaces the old root. What mode, owner, times and attributes
say of a file outside can be changed there no more than its bytes.
"""

from __future__ import annotations

import ctypes
import errno
import os
from contextlib import suppress
from pathlib import Path

from litegate.execution.sandbox.kernel import call, kernel_version, syscall
from litegate.execution.sandbox.layout import Layout, Mount

__all__ = ["keep_mounts_private", "own_shared_memory", "private_root"]

_READ_ONLY, _NO_SUID, _NO_DEVICES, _NO_EXECUTION = 1, 2, 4, 8
_BIND, _RECURSIVE, _UNBINDABLE, _PRIVATE = 0x1000, 0x4000, 1 << 17, 1 << 18
_DETACH = 2
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000

_DEVICES = ("full", "null", "random", "urandom", "zero")
_STREAMS = {"fd": "", "stdin": "/0", "stdout": "/1", "stderr": "/2"}
_PID_MAX_OF_NAMESPACE = (6, 14)
"""The first kernel in which each process namespace has a `pid_max` of its own; before that it is the host's."""
_LEAST_IDS, _MOST_IDS = 301, 1 << 22


def keep_mounts_private() -> None:
    """From here on nothing that is mounted in this mount namespace is mounted in others too.

    Raises:
        OSError: the kernel does not allow it.
    """
    _propagate("/", _RECURSIVE | _PRIVATE)


def own_shared_memory(root: str = "/") -> None:
    """A /dev/shm of its own.

    Raises:
        OSError: the kernel does not allow it.
    """
    _memory(f"{root.rstrip('/')}/dev/shm", "size=25%,mode=1777")  # noqa: S108


def private_root(plan: Layout, folder: str, most_ids: int | None) -> OSError | None:
    """Replace the root of this process, which is in a mount namespace of its own.

    Args:
        folder: the step's own, which becomes the current one.
        most_ids: how many processes and threads there may be; None if the process namespace is not its own.

    Returns:
        Why /proc is still the host's; None if it is not.

    Raises:
        OSError: the kernel does not allow it. Nothing has changed then.
    """
    root = _Root(f"{folder}/.root")
    try:
        root.fill(plan, most_ids)
        root.enter()
    except OSError:
        os.chdir(folder)
        root.give_up()
        raise
    os.chdir(folder)
    with suppress(OSError):
        Path(root.place).rmdir()
    return root.refused


class _Root:
    """A root directory in the making.

    Args:
        place: where it lies meanwhile.
    """

    def __init__(self, place: str) -> None:
        self.place = place
        self.refused: OSError | None = None
        self._in_memory = [place]
        Path(place).mkdir()
        _memory(place, "size=8m,mode=755")
        _propagate(place, _UNBINDABLE)  # so that it is not in what is shown of the folders around it

    def fill(self, plan: Layout, most_ids: int | None) -> None:
        """Make everything, in the order of the plan."""
        for mount in plan.mounts:
            target = self.place + mount.path.rstrip("/")
            with suppress(FileNotFoundError):  # it went away: there is nothing to reach or to hide
                _make_spot(mount.path, target)
                self._mount(mount, target, most_ids)
        for link, text in plan.links.items():
            self._link(self.place + link, text)

    def enter(self) -> None:
        """Make this the root, and let go of the old one."""
        for path in self._in_memory:
            _set(path, _READ_ONLY)
        os.chdir(self.place)
        syscall("pivot_root", b".", b".")
        call("umount2", b".", _DETACH)

    def give_up(self) -> None:
        """Take it away again."""
        with suppress(OSError):
            call("umount2", os.fsencode(self.place), _DETACH)
        with suppress(OSError):
            Path(self.place).rmdir()

    def _mount(self, mount: Mount, target: str, most_ids: int | None) -> None:
        if mount.kind in ("read", "write"):
            writable = mount.kind == "write"
            _bind(mount.path, target, _NO_SUID | _NO_DEVICES | (0 if writable else _READ_ONLY), not writable)
        elif mount.kind == "control":
            _bind(mount.path, target, _NO_SUID)
        elif mount.kind == "hide":
            self._hide(target)
        elif mount.kind == "tmp":
            _memory(target, "size=256m,mode=1777")
        elif mount.kind == "dev":
            self._devices(target)
        else:
            self.refused = _processes(target, most_ids)

    def _hide(self, target: str) -> None:
        if Path(target).is_dir():
            self._keep_in_memory(target)
        else:
            _bind("/dev/null", target, _READ_ONLY | _NO_DEVICES)  # which nobody can open

    def _devices(self, target: str) -> None:
        self._keep_in_memory(target)
        for name in _DEVICES:
            with suppress(FileNotFoundError):
                _make_spot(f"/dev/{name}", f"{target}/{name}")
                _bind(f"/dev/{name}", f"{target}/{name}", _NO_SUID)
        for name, descriptor in _STREAMS.items():
            Path(target, name).symlink_to(f"/proc/self/fd{descriptor}")
        Path(target, "shm").mkdir()
        own_shared_memory(self.place)

    def _keep_in_memory(self, target: str) -> None:
        _memory(target, "size=1m,mode=755")
        self._in_memory.append(target)

    def _link(self, link: str, text: str) -> None:
        if not os.path.lexists(link):
            Path(link).parent.mkdir(parents=True, exist_ok=True)
            Path(link).symlink_to(text)


def _make_spot(path: str, target: str) -> None:
    """Something to mount on; what lies in a mounted folder is there already."""
    if os.path.lexists(target):
        return
    if os.path.isdir(path):  # noqa: PTH112  which does not raise
        Path(target).mkdir(parents=True)
        return
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    Path(target).touch()


def _bind(path: str, target: str, attributes: int, recursive: bool = False) -> None:
    """Show a file or folder elsewhere; mounts below a folder too, with the same attributes, if `recursive`."""
    flags = ctypes.c_ulong(_BIND | (_RECURSIVE if recursive else 0))
    call("mount", os.fsencode(path), os.fsencode(target), None, flags, None)
    _set(target, attributes, recursive)


def _memory(target: str, options: str) -> None:
    flags = ctypes.c_ulong(_NO_SUID | _NO_DEVICES)
    call("mount", b"tmpfs", os.fsencode(target), b"tmpfs", flags, options.encode())


def _processes(target: str, most_ids: int | None) -> OSError | None:
    """/proc of its own process namespace, or else the host's; nothing in it can be written."""
    refused = None
    try:
        if most_ids is None:
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
        flags = ctypes.c_ulong(_NO_SUID | _NO_DEVICES | _NO_EXECUTION)
        call("mount", b"proc", os.fsencode(target), b"proc", flags, None)
        _limit_ids(Path(target), most_ids)
        _set(target, _READ_ONLY)
    except OSError as error:
        _bind("/proc", target, _READ_ONLY, recursive=True)
        refused = error
    return refused


def _limit_ids(proc: Path, most_ids: int) -> None:
    if kernel_version() >= _PID_MAX_OF_NAMESPACE:
        with suppress(OSError):
            (proc / "sys/kernel/pid_max").write_text(str(min(max(most_ids, _LEAST_IDS), _MOST_IDS)))


def _propagate(target: str, how: int) -> None:
    call("mount", b"none", os.fsencode(target), None, ctypes.c_ulong(how), None)


def _set(target: str, attributes: int, recursive: bool = False) -> None:
    """Set attributes of a mount, see `struct mount_attr` in the kernel's linux/mount.h."""
    wanted = (ctypes.c_uint64 * 4)(attributes, 0, 0, 0)
    below = _AT_RECURSIVE if recursive else 0
    size = ctypes.sizeof(wanted)
    syscall("mount_setattr", _AT_FDCWD, os.fsencode(target), below, ctypes.byref(wanted), size)
