"""Versions of what is installed beside an interpreter, read from its folder: no second interpreter is started."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache, cached_property
from pathlib import Path
from typing import TypeVar

from litegate.execution.file_state import State, state_of

__all__ = ["Installed", "installed"]

_OWN = "litegate"
"""Its version says nothing that its source does not."""
_REQUIREMENT = re.compile(r"^Requires-Dist:[ \t]*([A-Za-z0-9][\w.-]*)[ \t]*(?:\[([^]]*)\])?(.*)$", re.MULTILINE)
_OF_EXTRA = re.compile(r"extra\s*==\s*['\"]([\w.-]+)['\"]")
_SYSTEMS = re.compile(r"^include-system-site-packages\s*=\s*true", re.MULTILINE | re.IGNORECASE)
_HOME = re.compile(r"^home\s*=\s*(.+?)\s*$", re.MULTILINE)
_VERSION = re.compile(r"^version(?:_info)?\s*=\s*(\S+)", re.MULTILINE)

Found = TypeVar("Found")
_Required = tuple[str, frozenset[str]]
"""A distribution and its extras."""


class Installed:
    """The distributions of one Python environment.

    Args:
        python: its interpreter, `<prefix>/bin/python`; where no packages lie beside it, its path is all that counts.
    """

    def __init__(self, python: Path) -> None:
        text = _config_of(python)
        self._folders = _folders(python, text)
        found = (path for folder in reversed(self._folders) for path in folder.glob("*.dist-info"))
        self._infos = {_normal(path.stem.rpartition("-")[0]): path for path in found}
        self._infos.pop(_OWN, None)
        version = _VERSION.search(text)
        self._python = f"python-{version[1]}" if version else str(next(iter(self._folders), python).parent.name)

    @property
    def everything(self) -> list[str]:
        """Every distribution, as `<name>-<version>`, and Python itself."""
        return self._versions(self._infos)

    def behind(self, modules: Iterable[str]) -> list[str]:
        """The distributions that top-level modules belong to, and all that these require; and Python itself.

        A requirement counts wherever it is installed, whatever its conditions are, but for those of extras that
        nobody requires. A module that is there and of unknown origin counts as everything; one that is not there
        counts as missing.
        """
        return list(self._behind(frozenset(modules)))

    @cache  # noqa: B019  what is installed is looked up once in the life of a process
    def _behind(self, modules: frozenset[str]) -> list[str]:
        waiting: list[_Required] = []
        missing: list[str] = []
        for module in sorted(modules - sys.stdlib_module_names):
            owners = self._owners.get(module) or self._recorded(module)
            if not owners and self._is_there(module):
                return self.everything
            waiting += [(name, frozenset[str]()) for name in owners]
            missing += [] if owners else [f"no {module}"]
        found: set[_Required] = set()
        while waiting:
            required = waiting.pop()
            if required not in found and required[0] in self._infos:
                found.add(required)
                waiting += self._required(*required)
        return self._versions({name for name, _ in found}) + missing

    def _versions(self, names: Iterable[str]) -> list[str]:
        return [self._python, *sorted(self._infos[name].stem for name in names)]

    @cached_property
    def _owners(self) -> dict[str, list[str]]:
        """The distributions that top-level modules are from, by what they say without being searched."""
        owners: dict[str, list[str]] = {}
        for name, info in self._infos.items():
            for module in self._modules(name, info):
                owners.setdefault(module, []).append(name)
        return owners

    def _modules(self, name: str, info: Path) -> list[str]:
        """What a distribution says of itself; where it says nothing, a module of its own name is taken for its own."""
        listed = info / "top_level.txt"
        return listed.read_text().split() if listed.exists() else [name.replace("-", "_")]

    def read(self) -> None:
        """Read what all say of themselves, for this process and those that it forks; what changes is read anew."""
        for info in self._infos.values():
            for read, path in ((_folders_of, info / "RECORD"), (_requirements_of, info / "METADATA")):
                if path.exists():
                    _as_it_is(read, path)

    def _recorded(self, module: str) -> list[str]:
        """The distributions that have files in it: several where it is a namespace."""
        records = {name: info / "RECORD" for name, info in self._infos.items()}
        return [name for name, path in records.items() if path.exists() and module in _as_it_is(_folders_of, path)]

    def _required(self, name: str, extras: frozenset[str]) -> Iterator[_Required]:
        for required, of in _as_it_is(_requirements_of, self._infos[name] / "METADATA"):
            if not of or of & extras:
                yield required

    def _is_there(self, module: str) -> bool:
        return any((folder / module).exists() or any(folder.glob(f"{module}.*")) for folder in self._folders)


def installed(python: Path) -> Installed:
    """What is installed beside an interpreter, looked up once in the life of this process."""
    return _as_installed(python, _state(python, os.getpid()))


@cache
def _state(python: Path, _process: int) -> State:
    """A process looks once, and so does one that it forks."""
    folders = _folders(python, _config_of(python))
    present = (path for path in (python.parent.parent / "pyvenv.cfg", *folders) if path.exists())
    return state_of((str(path), path.stat()) for path in present)


@cache
def _as_installed(python: Path, _state: State) -> Installed:
    return Installed(python)


def _config_of(python: Path) -> str:
    config = python.parent.parent / "pyvenv.cfg"
    return config.read_text() if config.exists() else ""


def _folders(python: Path, config: str) -> list[Path]:
    """Where the packages lie that an interpreter imports, those of its own environment first."""
    prefix = python.parent.parent
    home = _HOME.search(config) if _SYSTEMS.search(config) else None
    prefixes = [prefix, Path(home[1]).parent] if home else [prefix]
    return [folder for each in prefixes for folder in sorted(each.glob("lib/python3*/*-packages"))]


def _as_it_is(read: Callable[[Path, int, int], Found], path: Path) -> Found:
    """What was read of a file, if it has not been written since."""
    state = path.stat()
    return read(path, state.st_mtime_ns, state.st_ino)


@cache
def _folders_of(record: Path, _written: int, _file: int) -> frozenset[str]:
    """The top-level folders that a distribution has files in."""
    return frozenset(line.partition("/")[0] for line in record.read_text().splitlines() if "/" in line)


@cache
def _requirements_of(metadata: Path, _written: int, _file: int) -> tuple[tuple[_Required, frozenset[str]], ...]:
    """What a distribution requires, and the extras of its own that require it; none where it always does."""
    return tuple(
        (
            (_normal(match[1]), frozenset(_normal(each) for each in (match[2] or "").split(",") if each)),
            frozenset(map(_normal, _OF_EXTRA.findall(match[3]))),
        )
        for match in _REQUIREMENT.finditer(metadata.read_text(errors="replace"))
    )


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.strip()).lower()
