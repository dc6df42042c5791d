"""Whether what a process has loaded is still what lies on the disk."""

from __future__ import annotations

from pathlib import Path

from litegate.execution.file_state import source_files
from litegate.execution.installed import Installed

__all__ = ["Loaded"]

_ROOT = Path(__file__).parents[2]


class Loaded:
    """The source and the distributions as they are when this is made, which is before they are imported.

    Args:
        python: the interpreter.
        root: the folder of litegate's source.
    """

    def __init__(self, python: Path, root: Path = _ROOT) -> None:
        self._python, self._root = python, root
        self._source, self._installed = self._source_now(), self._installed_now()

    def changed(self) -> str | None:
        """What has changed since, in words; None if nothing has."""
        if self._source_now() != self._source:
            return "litegate's source has changed since it was started"
        if self._installed_now() != self._installed:
            return "what is installed has changed since it was started"
        return None

    def _source_now(self) -> list[tuple[str, int, int]]:
        return sorted((path, status.st_mtime_ns, status.st_size) for path, status in source_files(str(self._root)))

    def _installed_now(self) -> list[str]:
        return Installed(self._python).everything
