"""SQLite databases of the embedded servers."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

__all__ = ["write_ahead"]

_PATIENCE = 5
"""Seconds that whoever has it open has to let go of it."""


def write_ahead(path: Path) -> None:
    """Let a database be read while it is written, and be written with one sync in place of three.

    SQLite appends what is committed to a log beside the database, which is as durable
    (https://www.sqlite.org/wal.html). The file keeps to it, whoever opens it; a new one is made. Where a folder's file
    system has no shared memory, or somebody has the database open, it stays as it is, and so does what is none.
    """
    with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(path, timeout=_PATIENCE)) as database:
        database.execute("PRAGMA journal_mode=WAL")
