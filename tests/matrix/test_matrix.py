"""The matrix of supported versions, but for the environments themselves, which take long."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.matrix.environments import Failed, find_python
from tests.matrix.rows import CHECKS, ROWS
from tests.matrix.table import BEGIN, END, write_table

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
REQUIREMENTS = [
    Requirement(text)
    for group in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
    for text in group
]
PAGE = (ROOT / "docs" / "versions.md").read_text().partition(BEGIN)[0]


def test_every_requirement_has_a_lower_bound() -> None:
    unbound = [
        str(each) for each in REQUIREMENTS if not {spec.operator for spec in each.specifier} & {">=", "~=", "=="}
    ]
    assert unbound == [], "the oldest row would install whatever is oldest"


@pytest.mark.parametrize("package", ["apache-airflow", "mlflow", "tensorflow", "ai-edge-litert", "numpy", "pydantic"])
def test_the_page_has_the_lower_bounds(package: str) -> None:
    row = {"apache-airflow": "Airflow", "mlflow": "MLflow", "tensorflow": "TensorFlow", "ai-edge-litert": "LiteRT"}
    name = row.get(package, {"numpy": "NumPy", "pydantic": "Pydantic"}.get(package, ""))
    (supported,) = re.findall(rf"^\| {name}[^|]*\| ([^|]*) \|", PAGE, re.M)
    bounds = {
        s.version for each in REQUIREMENTS if each.name == package for s in each.specifier if s.operator[0] in ">~"
    }
    assert {supported.split()[0]} == bounds


def test_the_oldest_and_the_newest_python_have_a_row() -> None:
    (supported,) = re.findall(r"^\| Python \| ([^|]*) \|", PAGE, re.M)
    pythons = supported.split(", ")
    assert PROJECT["requires-python"] == f">={pythons[0]},<3.{int(pythons[-1].partition('.')[2]) + 1}"
    assert {row.python for row in ROWS} == set(pythons)


def test_what_is_run_is_there() -> None:
    named = [part for check in CHECKS.values() for part in check if part.startswith("tests/")]
    assert [part for part in named if not (ROOT / part).exists()] == []


def test_an_interpreter_is_found_that_really_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shim, real = tmp_path / "shim", tmp_path / "real"
    for folder, said in ((shim, "exit 127"), (real, "echo 3.12")):
        folder.mkdir()
        (folder / "python3.12").write_text(f"#!/bin/sh\n{said}\n")
        (folder / "python3.12").chmod(0o755)
    assert subprocess.run([real / "python3.12"], check=True).returncode == 0
    monkeypatch.setenv("PATH", f"{shim}:{real}:/usr/bin:/bin")
    assert find_python("3.12") == str(real / "python3.12")
    with pytest.raises(Failed, match=r"no python3\.99 on the PATH"):
        find_python("3.99")


def test_the_table_says_what_was_run_and_what_was_not(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    found = {"python": "3.11", "tried": [], "versions": {"mlflow": "3.17.0"}, "when": "2026-01-01"}
    counts = {"passed": 9, "failed": 1}
    rows = {"oldest": found | {"checks": {"quick": {"counts": counts, "code": 1, "seconds": 90}}}}
    rows |= {"tried-mlflow-3.16": found | {"tried": ["mlflow==3.16"], "checks": {}}}
    write_table(page, rows)
    before, *lines, after = page.read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("| oldest"))
    assert (before, after) == ("before", "after")
    assert "| 3.17.0 |" in line
    assert "| 9 passed, 1 failed | not run | not run | not run | 2 | 2026-01-01 |" in line
    assert "tried" not in page.read_text()
