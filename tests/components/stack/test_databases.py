"""MLflow's database: whoever reads does not keep others from writing, and nothing of it is lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from litegate.stack import databases
from litegate.stack.databases import write_ahead


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database as MLflow has made it, with a row."""
    path = tmp_path / "mlflow.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE runs (name TEXT)")
        database.execute("INSERT INTO runs VALUES ('first')")
    return path


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Somebody who has read, and is not done."""
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM runs").fetchall()
        yield reader


def write(path: Path) -> None:
    with closing(sqlite3.connect(path, timeout=0)) as writer, writer:
        writer.execute("INSERT INTO runs VALUES ('second')")


def names(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as database:
        return [row[0] for row in database.execute("SELECT name FROM runs")]


def test_a_commit_does_not_wait_for_those_who_read(path: Path) -> None:
    with reading(path), pytest.raises(sqlite3.OperationalError, match="locked"):
        write(path)
    write_ahead(path)
    with reading(path) as reader:
        write(path)
        assert reader.execute("SELECT name FROM runs").fetchall() == [("first",)], "it sees what was there"
    assert names(path) == ["first", "second"]


def test_it_stays_so_and_is_as_durable(tmp_path: Path) -> None:
    write_ahead(tmp_path / "new.db")
    write_ahead(tmp_path / "new.db")
    with closing(sqlite3.connect(tmp_path / "new.db")) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert database.execute("PRAGMA synchronous").fetchone() == (2,), "full: a commit is on the disk"


def test_one_that_is_in_use_stays_as_it_is(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "_PATIENCE", 0)
    with reading(path):
        write_ahead(path)
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert names(path) == ["first"]


def test_what_is_no_database_stays_as_it_is_for_its_server_to_say(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_bytes(b"all that was ever promoted" * 100)
    write_ahead(tmp_path / "mlflow.db")
    assert (tmp_path / "mlflow.db").read_bytes() == b"all that was ever promoted" * 100
