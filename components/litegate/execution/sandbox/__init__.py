"""What a step's child process does to itself before it loads anything that is not ours.

Only the standard library is imported here: namespaces can be left, and a user namespace entered, only while the
process has a single thread, and numerical libraries start theirs as they are imported.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

__all__ = ["REPORT", "Confinement"]

REPORT = "litegate-isolation "
"""Begins the first line that a child writes: its namespace, and what its host could not do."""


@dataclass(frozen=True)
class Confinement:
    """What a child may do; written by its parent, applied by the child.

    Attributes:
        parent: process id of the parent, with which the child ends.
        memory: bytes of address space, for the child and for each process that it starts.
        file_size: bytes of the largest file that it may write.
        confined: whether it leaves the network and is shut into the folders below.
        required: whether the step fails where the kernel does not offer all of that.
        read: files and folders that may be read.
        opened: files, and folders whose files may be read; not listed, since digests name them.
        write: folders in which files may be written; the first is the step's own.
        devices: nodes of devices that may be read, written and controlled.
        hidden: what must stay unreadable, whatever else names it or lies around it.
        shown: folders in hidden ones of which `read` may name parts.
        shelves: folders in hidden ones of which `opened` may name members; it may name nothing else.
        disk: bytes that its files may have together.
        processes: how many it may have at a time.
    """

    parent: int
    memory: int
    file_size: int
    confined: bool
    required: bool = False
    read: tuple[str, ...] = ()
    opened: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    shelves: tuple[str, ...] = ()
    disk: int = 1 << 34
    processes: int = 64

    def save(self, path: Path) -> None:
        """Write it for the child."""
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def load(cls, path: Path) -> Confinement:
        """Read what the parent wrote."""
        fields: dict[str, Any] = json.loads(path.read_text())
        lists = {name: tuple(value) for name, value in fields.items() if isinstance(value, list)}
        return cls(**(fields | lists))
