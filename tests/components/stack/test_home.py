from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from litegate.stack.home import Home, Secrets, write_private


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.prepare()
    return home


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_secrets_are_made_once_and_only_their_owner_can_read_them(home):
    first = Secrets.of(home)

    assert Secrets.of(home) == first
    assert mode(home.root / "secrets") == 0o700
    assert {path.name: mode(path) for path in (home.root / "secrets").iterdir()} == dict.fromkeys(
        ("admin-password", "airflow-users.json", "api", "fernet", "jwt", "s3-access-key", "s3-secret-key"), 0o600
    )


def test_folders_that_were_open_to_other_users_are_closed_and_named(home):
    (home.root / "workspace").chmod(0o755)
    (home.root / "cache").chmod(0o770)

    assert home.prepare() == ["cache", "workspace"]
    assert home.prepare() == []
    folders = ("cache", "mlflow", "s3", "scratch", "secrets", "workspace")
    assert {name: mode(home.root / name) for name in folders} == dict.fromkeys(folders, 0o700)


def test_secrets_are_long_enough_and_differ_between_homes(home, tmp_path):
    other = Home(tmp_path / "other")
    other.prepare()

    assert len(Secrets.of(home).jwt.encode()) >= 64
    assert Secrets.of(home) != Secrets.of(other)


def test_airflow_reads_the_same_password(home):
    assert {"admin": Secrets.of(home).password} == json.loads(home.airflow_users.read_text())


def test_a_private_file_that_cannot_be_written_leaves_the_old_one(home):
    path = home.root / "file"
    write_private(path, "old")

    with pytest.raises(UnicodeEncodeError):
        write_private(path, "\ud800")

    assert path.read_text() == "old"
    assert [each.name for each in home.root.glob(".tmp-*")] == []


def test_a_lock_keeps_another_process_out_until_it_is_released(home):
    script = f"""
from pathlib import Path
from litegate.stack.home import Home
with Home(Path({str(home.root)!r})).lock("x", lambda: print("waits", flush=True)):
    print("has it", flush=True)
"""
    with home.lock("x"):
        other = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
        assert other.stdout is not None
        assert other.stdout.readline() == "waits\n"
    with other:
        assert other.stdout.read() == "has it\n"
