"""What is mounted where in a root of the step's own: pure, from the places that it may reach."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from litegate.execution.sandbox.landlock import CONTROL, WRITE
from litegate.execution.sandbox.places import Place

__all__ = ["Layout", "Mount", "layout", "resolve"]

Kind = Literal["read", "write", "control", "hide", "dev", "proc", "tmp"]
_OWN: dict[str, Kind] = {"/dev": "dev", "/proc": "proc", "/tmp": "tmp"}  # noqa: S108
_MOST_LINKS = 40


@dataclass(frozen=True)
class Mount:
    """A path, and what is there: what is there outside, nothing, or something of the step's own."""

    path: str
    kind: Kind


@dataclass(frozen=True)
class Layout:
    """Mounts, parents before what lies in them, and symbolic links by their own paths."""

    mounts: tuple[Mount, ...]
    links: dict[str, str]


def layout(places: Iterable[Place], hidden: Iterable[str]) -> Layout:
    """Everything under its real path, and the links by which it is called otherwise.

    Args:
        hidden: real paths that are to be empty where they lie in one of the places.
    """
    wanted: dict[str, Kind] = dict.fromkeys(filter(os.path.lexists, hidden), "hide")
    links: dict[str, str] = {}
    wanted |= _OWN
    for place in places:
        path, on_the_way = resolve(place.name)
        links |= on_the_way
        there = os.path.exists(path)  # noqa: PTH110  which does not raise where we may not look
        if there and wanted.get(path) not in ("write", "dev", "proc"):
            wanted[path] = _kind(place.access)
    kept: dict[str, Kind] = {}
    for path in sorted(wanted, key=lambda path: path.split("/")):
        if _changes(wanted[path], _around(path, kept)):
            kept[path] = wanted[path]
    return Layout(tuple(Mount(path, kind) for path, kind in kept.items()), links)


def resolve(name: str) -> tuple[str, dict[str, str]]:
    """The real path of a name, and the symbolic links on the way to it, as far as they can be followed."""
    left, path = name.split("/")[::-1], "/"
    links: dict[str, str] = {}
    followed = 0
    while left:
        part = left.pop()
        if part in ("", "."):
            continue
        if part == "..":
            path = os.path.dirname(path)  # noqa: PTH120
            continue
        each = os.path.join(path, part)  # noqa: PTH118
        if not os.path.islink(each) or followed == _MOST_LINKS:  # noqa: PTH114
            path = each
            continue
        followed += 1
        links[each] = target = os.readlink(each)  # noqa: PTH115
        path = "/" if target.startswith("/") else path
        left += target.split("/")[::-1]
    return path, links


def _kind(access: int) -> Kind:
    if access == CONTROL:
        return "control"
    return "write" if access & WRITE else "read"


def _around(path: str, kept: dict[str, Kind]) -> Kind | None:
    """What the innermost mount around a path is; None in the root itself."""
    folder = path
    while folder != "/":
        folder = os.path.dirname(folder)  # noqa: PTH120
        if folder in kept:
            return kept[folder]
    return None


def _changes(kind: Kind, around: Kind | None) -> bool:
    visible = around in ("read", "write")
    if kind == "read":
        return not visible and around != "proc"
    return visible if kind == "hide" else True
