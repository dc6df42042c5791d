"""A disk that is full, and has room again: the workspace's, and the one on which steps work."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from litegate.storage.scratch import TEMPORARY
from tests.chaos.checks import Finding, Wrong, objects_below, workspace_findings
from tests.chaos.comparing import compare
from tests.chaos.models import Models

__all__ = ["can_mount", "full_disks"]

_SIZES = {"workspace": "200k", "scratch": "64k"}
"""Of a file system in memory: less than a comparison needs there, and enough to begin."""
_TWICE = """
mount -t tmpfs -o size=$SIZE none "$FOLDER" || exit 99
"$@"
echo "the first ended with $?"
cp -a "$FOLDER" "$KEPT"
mount -o remount,size=64m "$FOLDER" || exit 99
exec "$@"
"""
"""A command on a small file system, and once more on one that has room; what the first has left is copied."""


def can_mount() -> bool:
    """Whether we may mount a file system, in a namespace of our own."""
    command = [*_namespace(), "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def full_disks(models: Models, root: Path, say: Callable[[str], None]) -> Iterator[Finding]:
    """What is left half-written, is not said, or does not work when there is room again.

    Args:
        root: a folder in which homes are made.
    """
    spec = models.spec("full", 0)
    for name, size in _SIZES.items():
        home, kept = root / f"full-{name}", root / f"full-{name}-left"
        folder = home / name
        folder.mkdir(parents=True)
        variables = {"SIZE": size, "FOLDER": str(folder), "KEPT": str(kept)}
        ended = compare(spec, home, variables, (*_namespace(), "sh", "-c", _TWICE, "sh"))
        said = f"the disk of {folder}"
        if "the first ended with 1" not in ended.output or "is full" not in ended.output or said not in ended.output:
            yield Finding(Wrong.BY_HAND, f"a full disk of the {name} is not what is said: {ended.output[-1500:]}")
        if ended.code:
            yield Finding(Wrong.BY_HAND, f"with room on the disk of the {name} again: {ended.output[-1500:]}")
        yield from workspace_findings(objects_below(kept if name == "workspace" else home / "workspace"))
        yield from (Finding(Wrong.LOST, f"{path} is half-written") for path in kept.rglob(TEMPORARY))
        say(f"a full disk of the {name}: said, and gone on when there was room")


def _namespace() -> tuple[str, ...]:
    """What runs a command with mounts of its own."""
    as_root = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    return ("unshare", *as_root, "--mount")
