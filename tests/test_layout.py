"""The tests are laid out as the source is."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE, TESTS = ROOT / "components/litegate", ROOT / "tests/components"


def folders(root: Path, holding: str) -> set[str]:
    """Folders below a root that hold such files, by their relative names."""
    return {path.parent.relative_to(root).as_posix() for path in root.rglob(holding)} - {"."}


def test_every_folder_of_tests_is_one_of_the_source() -> None:
    assert folders(TESTS, "test_*.py") <= folders(SOURCE, "__init__.py")


def test_every_package_has_tests_in_its_own_folder() -> None:
    tested = {each.partition("/")[0] for each in folders(TESTS, "test_*.py")}
    assert {each.partition("/")[0] for each in folders(SOURCE, "__init__.py")} - tested == set()


def test_loose_tests_are_of_loose_modules() -> None:
    loose = {path.stem for path in SOURCE.glob("*.py")}
    assert {path.stem.removeprefix("test_") for path in TESTS.glob("test_*.py")} <= loose


def test_every_package_says_what_belongs_there() -> None:
    silent = [path for path in SOURCE.rglob("__init__.py") if not path.read_text().startswith('"""')]
    assert silent == []
