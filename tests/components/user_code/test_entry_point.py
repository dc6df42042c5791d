"""The user's code: loaded by reference, and what it must return."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from litegate.digest import digest_bytes
from litegate.errors import BadInput
from litegate.user_code.entry_point import call, load_class, load_function

CODE = """
number = 3

class Thing: pass

def write(folder, text):
    path = folder / "out"
    path.write_text(text)
    return path

def nothing(folder):
    return None

def elsewhere(folder):
    return "/no/such/file"
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


def test_a_function_gets_an_empty_folder_and_returns_what_it_wrote(users: Path) -> None:
    path = call("users_code:write", str(users), {"text": "hello"}, users / "written")
    assert (path, path.read_text()) == (users / "written" / "out", "hello")


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("nothing", {}, "expected the path of what it wrote, got None"),
        ("elsewhere", {}, "expected the path of what it wrote, got '/no/such/file'"),
        ("write", {}, "called with a folder: expected the arguments that it takes, got missing a required argument"),
        ("write", {"text": "x", "txt": "y"}, "called with a folder, text, txt: .*unexpected keyword argument 'txt'"),
    ],
)
def test_a_call_that_cannot_work_is_bad_input(users: Path, name: str, arguments: dict[str, str], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        call(f"users_code:{name}", str(users), arguments, users / "written")
