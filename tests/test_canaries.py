"""The search for secrets finds them: else it would prove nothing that it finds none."""

from __future__ import annotations

import base64
import gzip
import io
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest

from tests.canaries import Canaries, watching

SECRET = "correct/horse+battery:staple?"
CANARIES = Canaries({"password": SECRET, "key": "-----BEGIN KEY-----\nMC4CAQAwBQYDK2VwBCIEIA\n-----END KEY-----"})


def zipped(content: bytes) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner", content)
    return whole.getvalue()


FORMS: dict[str, Callable[[bytes], bytes]] = {
    "as it is": lambda raw: raw,
    "in an address": lambda raw: quote(raw, safe="").encode(),
    "in hexadecimal digits": lambda raw: raw.hex().encode(),
    "in base64": base64.b64encode,
    "as a log-in": lambda raw: base64.b64encode(b"user:" + raw),
    "amid others": lambda raw: base64.b64encode(b"ab" + raw + b"more"),
    "for addresses": lambda raw: base64.urlsafe_b64encode(b"a" + raw),
    "compressed": gzip.compress,
    "in an archive": zipped,
}


@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
def test_a_secret_is_found(form: Callable[[bytes], bytes]) -> None:
    assert CANARIES.found_in(form(SECRET.encode())) == {"password"}


def test_a_line_of_a_key_is_the_key_and_its_first_line_is_anybodys() -> None:
    assert CANARIES.found_in(b'{"x": "MC4CAQAwBQYDK2VwBCIEIA"}') == {"key"}
    assert CANARIES.found_in(b"-----BEGIN KEY-----") == set()


def test_files_and_rows_are_searched(tmp_path: Path) -> None:
    assert CANARIES.found_below(tmp_path) == set()
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "log").write_text(f"log in with {SECRET}")
    with closing(sqlite3.connect(tmp_path / "database")) as database:
        database.execute("CREATE TABLE xcom (value)")
        database.execute("INSERT INTO xcom VALUES (?)", ("x" * 3990 + SECRET + "x" * 9000,))
        database.commit()
    places = {Path(path).name for _, path in CANARIES.found_below(tmp_path)}
    assert places == {"log", "database"}, "also where a row is on several pages"


@pytest.mark.parametrize("place", ["arguments", "environment"])
def test_a_process_that_has_a_secret_is_seen(place: str) -> None:
    program = [sys.executable, "-c", "input()"]
    with watching(CANARIES, psutil.Process()) as seen:
        process = subprocess.Popen(
            [*program, SECRET] if place == "arguments" else program,
            env={"NAME": SECRET} if place == "environment" else {},
            stdin=subprocess.PIPE,
        )
        while not seen.leaks:
            assert process.poll() is None
        process.communicate(b"\n")
    assert seen.leaks == {("password", "another process", place)}
