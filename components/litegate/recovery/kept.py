"""What a search has measured so far, in a file that outlives the process: a search that was killed goes on from there.

A line for each file that was measured. One may be torn, where the process was killed while it wrote.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from litegate.records import Tuned

__all__ = ["Kept", "KeptOf"]

_Key = tuple[tuple[int, str], ...]


class Kept:
    """Measurements of this try and of those before it.

    Args:
        folder: where the file is; None to keep nothing.
        clock: in seconds.

    Attributes:
        seconds: that earlier tries took.
        earlier: how many measurements they have left.
    """

    def __init__(self, folder: Path | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = None if folder is None else folder / "measured.jsonl"
        self._clock, self._began = clock, clock()
        self._found: dict[str, Mapping[str, Any] | None] = {}
        self.seconds = 0.0
        self._read()
        self.earlier = len(self._found)

    def of(self, source: bytes) -> KeptOf:
        """Those of files that are made from one float32 file."""
        return KeptOf(self, hashlib.sha256(source).hexdigest())

    def get(self, name: str) -> tuple[bool, Tuned | None]:
        """Whether a file was measured, and what it came to; None where it could not be made or run."""
        value = self._found.get(name)
        return name in self._found, None if value is None else Tuned.model_validate(value)

    def add(self, name: str, found: Tuned | None) -> None:
        """Keep a measurement."""
        self._found[name] = None if found is None else found.to_json()
        if self._path is not None:
            seconds = self.seconds + self._clock() - self._began
            with self._path.open("a") as file:
                file.write("\n" + json.dumps({"file": name, "tuned": self._found[name], "seconds": seconds}))

    def _read(self) -> None:
        if self._path is None or not self._path.exists():
            return
        for line in self._path.read_text().splitlines():
            with suppress(ValueError, KeyError):
                value = json.loads(line)
                self._found[value["file"]], self.seconds = value["tuned"], float(value["seconds"])


class KeptOf:
    """The measurements of files that are made from one float32 file."""

    def __init__(self, kept: Kept, source: str) -> None:
        self._kept, self._source = kept, source

    def get(self, key: _Key) -> tuple[bool, Tuned | None]:
        """See `Kept.get`."""
        return self._kept.get(self._name(key))

    def add(self, key: _Key, found: Tuned | None) -> None:
        """See `Kept.add`."""
        self._kept.add(self._name(key), found)

    def _name(self, key: _Key) -> str:
        return f"{self._source[:16]} {json.dumps(key)}"
