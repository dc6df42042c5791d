"""Which files a confined process may still reach."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from litegate.sandbox import Confinement
from litegate.sandbox.landlock import EXECUTE, LIST, READ, WRITE, Ruleset

__all__ = ["close_files", "visible"]

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix/store")
_INFORMATION = ("/proc", "/sys", "/dev/zero", "/dev/random", "/dev/urandom")
_ETC = (
    *("alternatives", "group", "hosts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "ld.so.preload", "localtime"),
    *("machine-id", "mime.types", "nsswitch.conf", "os-release", "passwd", "ssl/openssl.cnf", "timezone"),
)


def close_files(confinement: Confinement) -> int:
    """Shut this process into the files that it needs: the system's, Python's, and those of `confinement`.

    Returns:
        Landlock's version.

    Raises:
        OSError: the kernel has no Landlock.
    """
    rules = Ruleset()
    hidden = [os.path.realpath(path) for path in confinement.hidden]
    for path in _interpreter():
        _allow(rules, path, READ | LIST | EXECUTE, hidden)
    for path in (*_INFORMATION, *(f"/etc/{name}" for name in _ETC), *confinement.read):
        _allow(rules, path, READ | LIST, hidden)
    for path in confinement.opened:
        rules.allow(path, READ)
    for path in ("/dev/null", "/dev/shm", *confinement.write):  # noqa: S108  semaphores of worker processes
        rules.allow(path, READ | LIST | WRITE)
    rules.enforce()
    return rules.version


def visible(path: str, hidden: list[str]) -> Iterator[tuple[str, bool]]:
    """`path`, or what lies in it beside hidden paths.

    Symbolic links are left out where a folder is taken apart: they could lead to what is hidden.

    Yields:
        A path, and whether it may only be listed because something below it is hidden.
    """
    if path in hidden:
        return
    below = [each for each in hidden if each.startswith(path.rstrip("/") + "/")]
    yield path, bool(below)
    if below:
        with os.scandir(path) as entries:
            for entry in entries:
                if not entry.is_symlink():
                    yield from visible(entry.path, below)


def _interpreter() -> Iterator[str]:
    yield from _SYSTEM
    yield from {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}
    yield from (path for path in sys.path if path.startswith("/"))


def _allow(rules: Ruleset, path: str, access: int, hidden: list[str]) -> None:
    try:
        for each, only_listed in visible(os.path.realpath(path), hidden):
            rules.allow(each, LIST if only_listed else access)
    except OSError:  # it went away, or may not be listed: it is not allowed then
        return
