"""What every kind of storage does: objects below one root, by name, each written whole or not at all.

Local folders and S3 do, and whatever comes next; a test asks the same of each (`tests/components/storage`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from litegate.errors import StoreError

__all__ = ["AT_ONCE", "BLOCK", "PAGE", "Coming", "Content", "Refused", "Storage", "Stored"]

PAGE = 1000
"""As many objects are listed, and deleted, at once."""

BLOCK = 1 << 20
"""Bytes that are read at once: no object is held in memory as a whole."""

AT_ONCE = 16
"""Requests at a time, each on a connection of its own."""

Content = bytes | Path
"""What an object is to hold: bytes, or those of a local file, which is streamed."""


class Refused(StoreError):
    """What is asked for cannot be had, and trying again changes nothing: no right to it, no such bucket, other bytes.

    A server that does not answer is something else: the error of its client, which says whether to try again.
    """


@dataclass(frozen=True)
class Stored:
    """An object as it was found.

    Attributes:
        name: relative to the root.
        size: bytes.
        modified: when it was last written or used, in seconds since 1970.
        version: equal for equal content, and another one once the object was written anew.
    """

    name: str
    size: int
    modified: float
    version: str


class Coming(Protocol):
    """A part of an object that was asked for; a `Future` is one."""

    def result(self) -> bytes:
        """Wait for it."""

    def cancel(self) -> object:
        """Nobody is going to wait for it."""


class Storage(Protocol):
    """Objects below a root. A name is relative to it, with `/`; the empty name is the root, where that is an object.

    Every method may raise what a server or file system that does not answer raises, and those that say nothing else
    raise `Refused` where it refuses.
    """

    @property
    def kind(self) -> str:
        """The scheme of its addresses, or `local`."""

    def uri(self, name: str) -> str:
        """The address of an object."""

    def path(self, name: str) -> Path | None:
        """Where an object lies on this host, whether it exists or not; None for what has to be fetched."""

    def find(self, name: str) -> Stored | None:
        """An object, or None where there is none of this very name."""

    def pages(self, prefix: str = "", *, deep: bool = True) -> Iterator[Sequence[Stored]]:
        """All objects below the root, in no order, a page of at most `PAGE` at a time.

        Those of a page may be deleted before the next one is asked for. Nothing is listed of a root that is not there.

        Args:
            prefix: with what their names begin.
            deep: also those whose names have a `/` after the prefix.
        """

    def children(self) -> Sequence[str]:
        """Names, up to the first `/`, of what is below the root, sorted: of objects and of folders."""

    def read(self, name: str, version: str | None = None) -> Iterator[bytes]:
        """The content of an object, in blocks. Errors are raised when the first one is asked for.

        Args:
            version: which one it must be; None for any.

        Raises:
            FileNotFoundError: there is none.
            Refused: it is of another version, or may not be read.
        """

    def read_span(self, name: str, version: str, start: int, size: int) -> bytes:
        """`size` bytes of an object of this very version, from its byte `start` on.

        Raises:
            FileNotFoundError: there is none.
            Refused: it is of another version, ends before, or may not be read.
        """

    def ask_span(self, name: str, version: str, start: int, size: int, threads: Executor) -> Coming:
        """The same, without waiting for it: its errors are those of the result.

        Args:
            threads: where somebody may wait; others are asked for from this thread meanwhile.
        """

    def put(self, name: str, content: Content) -> None:
        """Write an object in the place of any that was there; readers see the one or the other.

        Raises:
            DiskFull: there is no room.
        """

    def put_if_absent(self, name: str, content: Content) -> bool:
        """Write an object unless there is one. Of several who do so at once exactly one is the first.

        Returns:
            Whether we were; there is an object in any case. False also for a first one whose success got lost on its
            way here, so what another has written is to be equal or to be looked at.

        Raises:
            DiskFull: there is no room.
        """

    def touch(self, name: str) -> bool:
        """Note that an object is used, which brings its time up to date; within a day of the last time it does nothing.

        Returns:
            Whether there is one.
        """

    def delete(self, names: Sequence[str]) -> None:
        """Delete objects; those that are gone already are as good as deleted.

        Raises:
            StoreError: some of them cannot be deleted.
        """
