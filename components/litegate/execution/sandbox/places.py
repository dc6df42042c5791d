"""Which files a confined process may reach: decided here, once, for its mounts and for Landlock."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from litegate.execution.sandbox import Confinement
from litegate.execution.sandbox.landlock import CONTROL, EXECUTE, LIST, READ, WRITE

__all__ = ["Place", "hidden_by", "places"]

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix/store")
_INFORMATION = ("/sys/devices/system", "/sys/kernel/mm/transparent_hugepage")
_ETC = (
    *("alternatives", "group", "hosts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "ld.so.preload", "localtime"),
    *("machine-id", "mime.types", "nsswitch.conf", "os-release", "passwd", "ssl/openssl.cnf", "timezone"),
)


@dataclass(frozen=True)
class Place:
    """A file or folder, by the name that it was given, and what may be done with it, in Landlock's terms."""

    name: str
    access: int

    @property
    def path(self) -> str:
        """Where it really lies."""
        return os.path.realpath(self.name)


def places(confinement: Confinement) -> Iterator[Place]:
    """The system's, Python's, and those of `confinement` that are not hidden.

    What the system and Python need is shown wherever it lies: nobody but who installed them names it.
    """
    yield from (Place(name, READ | LIST | EXECUTE) for name in _programs())
    yield from (Place(name, READ | LIST) for name in (*_INFORMATION, *(f"/etc/{name}" for name in _ETC)))
    hidden, shown = _real(confinement.hidden), _real(confinement.shown)
    for place in (Place(name, READ | LIST) for name in confinement.read):
        if not hidden_by(place.path, hidden, shown):
            yield place
    yield from (Place(name, READ) for name in confinement.opened if _is_on_a_shelf(name, confinement.shelves))
    yield from (Place(name, READ | LIST | WRITE) for name in confinement.write)
    yield from (Place(name, CONTROL) for name in confinement.devices)


def hidden_by(path: str, hidden: Iterable[str], shown: Iterable[str]) -> str | None:
    """The hidden path that covers `path`; None if none does, or if something shown lies in between. All are real."""
    covering = max((each for each in hidden if _is_within(path, each)), key=len, default=None)
    if covering is None or any(_is_within(path, each) and len(each) > len(covering) for each in shown):
        return None
    return covering


def _is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _is_on_a_shelf(name: str, shelves: tuple[str, ...]) -> bool:
    """Whether it is itself a member of a shelf: no path that leads elsewhere, no link to elsewhere."""
    folder, _, last = name.rpartition("/")
    return folder in shelves and last not in ("", ".", "..") and not os.path.islink(name)  # noqa: PTH114


def _real(paths: tuple[str, ...]) -> list[str]:
    return [os.path.realpath(path) for path in paths]


def _programs() -> Iterator[str]:
    yield from _SYSTEM
    yield from (sys.executable, sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix)
    own = os.getcwd()  # noqa: PTH109  `python -m` searches the folder that it was started in, which is the step's own
    yield from (path for path in sys.path if path.startswith("/") and path != own)
