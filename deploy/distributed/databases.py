"""PostgreSQL, for Airflow and MLflow, and Redis, for Celery: with passwords, on loopback."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from pathlib import Path

from deploy.distributed.programs import Programs
from deploy.distributed.server import Server, as_nobody, free_port, listens, wait

__all__ = ["PostgreSql", "Redis"]


class PostgreSql:
    """A server with a database for each of its users, of the same name.

    Args:
        folder: its own; whoever is not root owns it, root gives it to `nobody`, for PostgreSQL refuses root.
    """

    def __init__(self, programs: Programs, folder: Path) -> None:
        self._programs, self._data, self.port = programs, folder / "data", free_port()
        self._password = secrets.token_urlsafe(24)
        folder.mkdir(mode=0o711)
        self._data.mkdir(mode=0o700)
        self._make(folder / "password")
        options = {"listen_addresses": "127.0.0.1", "port": str(self.port), "unix_socket_directories": ""}
        options |= {"max_connections": "200"}
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        command = (*as_nobody(), programs("postgres"), "-D", str(self._data), *arguments)
        self.server = Server(
            "postgresql",
            command,
            programs.environment,
            self._data,
            folder / "log",
            lambda: listens(self.port) and self._sql("postgres", "select 1"),
        )

    def _make(self, password: Path) -> None:
        password.write_text(self._password)
        password.chmod(0o600)
        if as_nobody():
            for each in (password, self._data):
                shutil.chown(each, "nobody", "nogroup")
        identity = ("-U", "admin", "-A", "scram-sha-256", "--pwfile", str(password))
        command = [*as_nobody(), self._programs("initdb"), "-D", str(self._data), "-E", "UTF8", "--no-sync", *identity]
        subprocess.run(command, check=True, capture_output=True, cwd="/", env=self._programs.environment)

    def database(self, name: str) -> str:
        """Make a database and its user; SQLAlchemy's address of it, without the driver's name."""
        password = secrets.token_urlsafe(24)
        wait(
            "PostgreSQL to make a user",
            lambda: self._sql("postgres", f"create role {name} login password '{password}'"),
        )
        assert self._sql("postgres", f"create database {name} owner {name}")
        return f"//{name}:{password}@127.0.0.1:{self.port}/{name}"

    def query(self, database: str, command: str) -> list[list[str]]:
        """The rows of a query, as text.

        Raises:
            RuntimeError: PostgreSQL refuses it.
        """
        done = self._psql(database, command)
        if done.returncode:
            raise RuntimeError(f"PostgreSQL refused {command}: {done.stderr}")
        return [line.split("|") for line in done.stdout.splitlines()]

    def _sql(self, database: str, command: str) -> bool:
        return self._psql(database, command).returncode == 0

    def _psql(self, database: str, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command as administrator; it goes through standard input, for it may have a password."""
        where = ("-h", "127.0.0.1", "-p", str(self.port), "-U", "admin", "-d", database)
        return subprocess.run(
            [self._programs("psql"), *where, "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"],
            input=command,
            text=True,
            capture_output=True,
            check=False,
            env=dict(self._programs.environment) | {"PGPASSWORD": self._password, "PGOPTIONS": "", "HOME": os.devnull},
        )


class Redis:
    """Celery's queue; `url` is its address."""

    def __init__(self, programs: Programs, folder: Path) -> None:
        self.port, password = free_port(), secrets.token_urlsafe(24)
        folder.mkdir(mode=0o700)
        file = folder / "redis.conf"
        # What is queued outlives it: each command is written to its log.
        lines = ("bind 127.0.0.1", f"port {self.port}", f"requirepass {password}", "appendonly yes", f"dir {folder}")
        file.write_text("\n".join((*lines, "")))
        file.chmod(0o600)
        self.url = f"redis://:{password}@127.0.0.1:{self.port}/0"
        command = (programs("redis-server"), str(file))
        ready = lambda: listens(self.port)  # noqa: E731
        self.server = Server("redis", command, programs.environment, folder, folder / "log", ready)
