"""Secrets that can be recognized wherever they turn up, as they are or in base64, hexadecimal digits or an address."""

from __future__ import annotations

import base64
import gzip
import io
import sqlite3
import threading
import time
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil

__all__ = ["Canaries", "Seen", "watching"]

_LEAST = 16
"""Characters of the shortest secret: shorter ones turn up by chance."""


class Canaries:
    """Secrets by name; those of several lines are found by any of them.

    Args:
        secrets: none of them shorter than 16 characters.
    """

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._forms: dict[str, frozenset[bytes]] = {}
        for name, secret in secrets.items():
            lines = [line for line in secret.splitlines() if len(line) >= _LEAST and not line.startswith("-----")]
            assert lines, f"{name} is too short to be recognized"
            self._forms[name] = frozenset(form for line in lines for form in _forms(line))

    def found_in(self, content: bytes) -> set[str]:
        """Names of the secrets that are in there, also where it is compressed."""
        found = {name for name, forms in self._forms.items() if any(form in content for form in forms)}
        return found.union(*(self.found_in(inner) for inner in _unpacked(content)))

    def found_below(self, *folders: Path) -> set[tuple[str, str]]:
        """The same of all files there, with their names; of databases row by row as well."""
        files = (path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file())
        return {(name, str(path)) for path in files for content in _contents(path) for name in self.found_in(content)}


@dataclass
class Seen:
    """What was seen of processes while they ran.

    Attributes:
        steps: names of the steps whose processes were seen.
        leaks: names of secrets, with the process that had them and where: in `arguments`, or in its `environment`.
    """

    steps: set[str] = field(default_factory=set)
    leaks: set[tuple[str, str, str]] = field(default_factory=set)

    def look(self, canaries: Canaries, process: psutil.Process) -> None:
        """Take note of one of them; one that has ended, or of which nothing may be read, is none."""
        with suppress(psutil.Error, OSError):
            arguments, environment = process.cmdline(), process.environ()
            if process.cmdline() != arguments:  # a program took its place meanwhile, which has the environment
                return
            name = _step_of(process)
            self.steps |= {name} - {_OTHER}
            self._note(canaries, name, "arguments", arguments)
            self._note(canaries, name, "environment", environment.values())
            if "AWS_SECRET_ACCESS_KEY" in environment:  # of a session that is not known yet
                self.leaks.add(("keys of S3", name, "environment"))

    def _note(self, canaries: Canaries, process: str, place: str, texts: Iterable[str]) -> None:
        found = canaries.found_in("\n".join(texts).encode(errors="surrogateescape"))
        self.leaks |= {(secret, process, place) for secret in found}


_OTHER = "another process"


@contextmanager
def watching(canaries: Canaries, root: psutil.Process) -> Iterator[Seen]:
    """Look at all that a process has started, many times a second."""
    seen, ended = Seen(), threading.Event()

    def watch() -> None:
        while not ended.is_set():
            with suppress(psutil.Error):
                for process in root.children(recursive=True):
                    seen.look(canaries, process)
            time.sleep(0.05)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


def _step_of(process: psutil.Process) -> str:
    """The step that it runs, or that has started it."""
    names = (_step(each.cmdline()) for each in (process, *process.parents()))
    return next((name for name in names if name != _OTHER), _OTHER)


def _step(arguments: list[str]) -> str:
    """The step that a process runs: its work folder is among its arguments, and named for it."""
    if "litegate.execution.sandbox" not in arguments:
        return _OTHER
    folders = (Path(part).name for part in arguments if "/scratch/" in part)
    return next((name.rpartition("-")[0] for name in folders if "-" in name), _OTHER)


def _forms(secret: str) -> Iterator[bytes]:
    """As it is and encoded; in base64 what is the same whatever stands around it."""
    raw = secret.encode()
    yield from (raw, quote(secret, safe="").encode(), raw.hex().encode(), raw.hex().upper().encode())
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + raw).rstrip(b"=")
        first, beyond = -(-before * 4 // 3), 1 if (before + len(raw)) % 3 else 0
        inner = whole[first : len(whole) - beyond]
        yield from (inner, inner.replace(b"+", b"-").replace(b"/", b"_"))


def _unpacked(content: bytes) -> Iterator[bytes]:
    if content.startswith(b"\x1f\x8b"):
        with suppress(OSError, EOFError):
            yield gzip.decompress(content)
    elif content.startswith(b"PK\x03\x04"):
        with suppress(zipfile.BadZipFile), zipfile.ZipFile(io.BytesIO(content)) as archive:
            yield from map(archive.read, archive.namelist())


def _contents(path: Path) -> Iterator[bytes]:
    with suppress(FileNotFoundError):  # of a server that still runs
        content = path.read_bytes()
        yield content
        if content.startswith(b"SQLite format 3\0"):
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
                yield from _rows(database)


def _rows(database: sqlite3.Connection) -> Iterator[bytes]:
    tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for table in tables:
        for row in database.execute(f'SELECT * FROM "{table}"'):
            yield b"\n".join(map(_bytes, row))


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
