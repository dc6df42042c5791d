"""What the host has after a step, and the same host for a user who is not root."""

from __future__ import annotations

from pathlib import Path

__all__ = ["running"]


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
