"""The user's code: loaded by reference, and what it must return."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from litegate.digest import digest_bytes
from litegate.entry_point import load_class, load_function, produce
from litegate.errors import BadInput
from litegate.records import ProduceRequest
from litegate.work import Work

CODE = """
number = 3

class Thing: pass

def write(folder, text):
    path = folder / "out"
    path.write_text(text)
    return path

def nothing(folder):
    return None
"""


@pytest.fixture(autouse=True)
def users(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "users_code.py").write_text(CODE)
    (tmp_path / "needs_more.py").write_text("import not_installed_anywhere\n")
    (tmp_path / "raises.py").write_text("raise RuntimeError('at import')\n")
    yield tmp_path
    sys.path[:] = [entry for entry in sys.path if entry != str(tmp_path)]
    for name in ("users_code", "needs_more", "raises"):
        sys.modules.pop(name, None)


@dataclass(frozen=True)
class Wrong:
    reference: str
    said: str


@pytest.mark.parametrize(
    "row",
    [
        Wrong("users_code", "expected package.module:function"),
        Wrong("users_code:", "expected package.module:function"),
        Wrong("no_such_code:f", "no module named no_such_code"),
        Wrong("users_code.inner:f", "no module named users_code"),
        Wrong("users_code:missing", "expected a function missing in .*users_code.py, got no such name"),
        Wrong("users_code:number", "got a int"),
        Wrong("needs_more:f", "expected all that needs_more imports, got no module named not_installed_anywhere"),
        Wrong("raises:f", "RuntimeError: at import"),
    ],
    ids=str,
)
def test_a_reference_that_cannot_be_loaded_says_why(row: Wrong, users: Path) -> None:
    with pytest.raises(BadInput, match=row.said):
        load_function(row.reference, str(users))


@pytest.mark.parametrize(
    ("name", "said"),
    [("Absent", "expected a class Absent in .*users_code.py, got no such name"), ("write", "a class, got a function")],
)
def test_a_class_is_loaded_like_a_function(users: Path, name: str, said: str) -> None:
    assert load_class("users_code:Thing", str(users)).__name__ == "Thing"
    with pytest.raises(BadInput, match=said):
        load_class(f"users_code:{name}", str(users))


def test_a_folder_is_searched_before_what_is_installed(users: Path) -> None:
    assert load_function("users_code:write", str(users))(users, "x").read_text() == "x"


def test_what_is_installed_needs_no_folder() -> None:
    assert load_function("litegate.digest:digest_bytes") is digest_bytes


def test_the_file_that_a_function_returns_goes_to_its_uri(users: Path) -> None:
    uri = str(users / "there" / "file")
    request = ProduceRequest(entry_point="users_code:write", folder=str(users), arguments={"text": "hello"}, uri=uri)
    produced = produce(request, Work(users, users / "cache"))
    assert Path(uri).read_bytes() == b"hello"
    assert (produced.uri, produced.digest, produced.bytes) == (uri, digest_bytes(b"hello"), 5)


def test_a_function_must_return_the_path_of_a_file(users: Path) -> None:
    request = ProduceRequest(entry_point="users_code:nothing", folder=str(users), arguments={}, uri=str(users / "x"))
    with pytest.raises(BadInput, match="expected the path of the file that it wrote, got None"):
        produce(request, Work(users, users / "cache"))
