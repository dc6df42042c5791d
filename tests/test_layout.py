"""The tests are laid out as the source is."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE, TESTS = ROOT / "components/litegate", ROOT / "tests/components"
PROVIDER, PROVIDER_TESTS = ROOT / "operators/litegate_airflow", ROOT / "tests/operators"

LAYOUT = (ROOT / "CONTRIBUTING.md").read_text().partition("## Layout")[2].partition("\n## ")[0]


def folders(root: Path, holding: str) -> set[str]:
    """Folders below a root that hold such files, by their relative names."""
    return {path.parent.relative_to(root).as_posix() for path in root.rglob(holding)} - {"."}


def test_every_folder_of_tests_is_one_of_the_source() -> None:
    assert folders(TESTS, "test_*.py") <= folders(SOURCE, "__init__.py")


def test_every_package_has_tests_in_its_own_folder() -> None:
    tested = {each.partition("/")[0] for each in folders(TESTS, "test_*.py")}
    assert {each.partition("/")[0] for each in folders(SOURCE, "__init__.py")} - tested == set()


def test_the_providers_tests_are_in_the_folders_of_what_they_test() -> None:
    assert folders(PROVIDER_TESTS, "test_*.py") == folders(PROVIDER, "__init__.py")


def test_loose_tests_are_of_loose_modules() -> None:
    loose = {path.stem for path in SOURCE.glob("*.py")}
    assert {path.stem.removeprefix("test_") for path in TESTS.glob("test_*.py")} <= loose


def test_every_package_says_what_belongs_there() -> None:
    packages = [*SOURCE.rglob("__init__.py"), *PROVIDER.glob("*/__init__.py")]
    silent = [path for path in packages if not path.read_text().startswith('"""')]
    assert silent == []


def test_the_page_for_contributors_has_a_row_for_each_folder() -> None:
    rows = re.findall(r"^\| `([\w/]+)/` \|", LAYOUT, re.M)
    packages = {f"components/litegate/{path.parent.name}" for path in SOURCE.glob("*/__init__.py")}
    packages |= {f"operators/litegate_airflow/{path.parent.name}" for path in PROVIDER.glob("*/__init__.py")}
    assert len(rows) == len(set(rows))
    assert set(rows) >= packages | {"components/litegate", "operators/litegate_airflow", "dags", "deploy", "tests"}
    assert [row for row in rows if not (ROOT / row).is_dir()] == []


def test_the_rows_are_in_the_order_of_the_layers() -> None:
    rows = re.findall(r"^\| `components/litegate/(\w+)/` \|", LAYOUT, re.M)
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract.get("containers") == ["litegate"])
    rank = {name.strip(): place for place, layer in enumerate(layers) for name in layer.split("|")}
    assert [rank[row] for row in rows] == sorted(rank[row] for row in rows)
