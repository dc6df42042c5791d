"""Landlock's rules for a confined process: the second lock, after its mounts, and the only one where it has none."""

from __future__ import annotations

import os
from collections.abc import Iterator

from litegate.execution.sandbox import Confinement
from litegate.execution.sandbox.landlock import LIST, READ, WRITE, Ruleset
from litegate.execution.sandbox.places import Place, places

__all__ = ["close_files", "visible"]

_INFORMATION = ("/proc", "/sys", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_WRITABLE = ("/dev/null", "/dev/shm")  # noqa: S108  semaphores of worker processes
_PRIVATE = "/tmp"  # noqa: S108


def close_files(confinement: Confinement, own_mounts: bool) -> int:
    """Shut this process into the files that it needs: the system's, Python's, and those of `confinement`.

    Args:
        own_mounts: whether it has mounts of its own, and a /tmp of its own among them.

    Returns:
        Landlock's version.

    Raises:
        OSError: the kernel has no Landlock.
    """
    rules = Ruleset()
    hidden = [os.path.realpath(path) for path in confinement.hidden]
    for name in _INFORMATION:
        rules.allow(name, READ | LIST)
    for place in places(confinement):
        _allow(rules, place, hidden)
    for name in (*_WRITABLE, *([_PRIVATE] if own_mounts else [])):
        rules.allow(name, READ | LIST | WRITE)
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


def _allow(rules: Ruleset, place: Place, hidden: list[str]) -> None:
    if place.access & WRITE or not place.access & LIST:
        rules.allow(place.name, place.access)
        return
    try:
        for each, only_listed in visible(place.path, hidden):
            rules.allow(each, LIST if only_listed else place.access)
    except OSError:  # it went away, or may not be listed: it is not allowed then
        return
