"""The home folder: where the stack keeps its state, readable by its owner alone."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import tempfile
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from litegate.disk import naming_full

__all__ = ["ADMIN", "KEY_PREFIX", "Home", "Secrets", "write_private"]

ADMIN = "admin"
KEY_PREFIX = "LITEGATE"
"""Begins the access key of each embedded S3 server."""
_FOLDERS = ("airflow", "cache", "locks", "logs", "mlflow", "s3", "scratch", "secrets", "specs", "warm", "workspace")


@dataclass(frozen=True)
class Home:
    """Paths below the home folder."""

    root: Path

    @property
    def state(self) -> Path:
        """What the supervisor says about the running stack."""
        return self.root / "stack.json"

    @property
    def ports(self) -> Path:
        """The ports of the last start, which the next one uses again."""
        return self.root / "ports.json"

    @property
    def s3(self) -> Path:
        """What the embedded S3 server holds."""
        return self.root / "s3"

    @property
    def workspace(self) -> Path:
        """The results and files that litegate makes."""
        return self.root / "workspace"

    @property
    def old_buckets(self) -> Path:
        """What the embedded S3 server of an older litegate held, workspace and all."""
        return self.root / "s3.tar"

    @property
    def warm(self) -> Path:
        """Where the warm parents of steps listen."""
        return self.root / "warm"

    @property
    def specs(self) -> Path:
        """Links to the users' spec files; each becomes a DAG."""
        return self.root / "specs"

    @property
    def password_file(self) -> Path:
        """The Airflow administrator's password, alone in its file."""
        return self.root / "secrets" / "admin-password"

    @property
    def airflow_users(self) -> Path:
        """The same password in the form that Airflow reads."""
        return self.root / "secrets" / "airflow-users.json"

    @property
    def initialised(self) -> Path:
        """Names the Airflow of the last stack that became ready, with databases that are whole."""
        return self.root / "initialised"

    def log(self, server: str) -> Path:
        """A server's output."""
        return self.root / "logs" / f"{server}.log"

    def prepare(self) -> list[str]:
        """Make the folders, closed to other users, and close those that are open.

        Returns:
            Names of the folders that were open to others.
        """
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        opened = []
        for name in _FOLDERS:
            folder = self.root / name
            folder.mkdir(mode=0o700, exist_ok=True)
            if folder.stat().st_mode & 0o077:
                folder.chmod(0o700)
                opened.append(name)
        return opened

    @contextmanager
    def lock(self, name: str, on_wait: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Hold `name` alone among all processes; `on_wait` is called if somebody else holds it now."""
        self.prepare()
        with (self.root / "locks" / f"{name}.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                on_wait()
                fcntl.flock(file, fcntl.LOCK_EX)
            yield


@dataclass(frozen=True)
class Secrets:
    """What the servers sign, encrypt and log in with; made once for each home.

    Attributes:
        s3_key, s3_secret: access key and secret key of the embedded S3 server.
    """

    jwt: str
    api: str
    fernet: str
    password: str
    s3_key: str
    s3_secret: str

    @classmethod
    def of(cls, home: Home) -> Secrets:
        """Read the home's secrets, making those that are missing."""
        found = cls(
            jwt=_kept(home.root / "secrets" / "jwt", lambda: secrets.token_hex(64)),
            api=_kept(home.root / "secrets" / "api", lambda: secrets.token_hex(32)),
            fernet=_kept(home.root / "secrets" / "fernet", lambda: urlsafe_b64encode(os.urandom(32)).decode()),
            password=_kept(home.password_file, lambda: secrets.token_urlsafe(15)),
            s3_key=_kept(home.root / "secrets" / "s3-access-key", lambda: KEY_PREFIX + secrets.token_hex(6).upper()),
            s3_secret=_kept(home.root / "secrets" / "s3-secret-key", lambda: secrets.token_urlsafe(30)),
        )
        write_private(home.airflow_users, json.dumps({ADMIN: found.password}) + "\n")
        return found


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all.

    Raises:
        DiskFull: there is no room.
    """
    with naming_full(path.parent):
        _write_private(path, text)


def _write_private(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".tmp-")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink()
        raise


def _kept(path: Path, make: Callable[[], str]) -> str:
    if not path.exists():
        write_private(path, make())
    return path.read_text()
