"""The tutorial does what it says: its commands are run in order, and its output is that of the commands."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.pages import Block, blocks, missing_line

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/tutorial.md"
APART = ("litegate doctor\n", "litegate stop\n")
"""They are about the whole home, which other tests use: these have a home of their own."""


def script(found: list[Block], home: Path, folder: Path) -> str:
    """All blocks in one shell, so that what one sets is there in the next; each writes to a file of its own."""
    lines = ["set -eu"]
    for number, block in enumerate(found):
        own = folder / "own-home" if block.commands in APART else home
        lines += [f"export LITEGATE_HOME={own}", f"exec > {folder}/{number}.out 2>&1", block.commands]
    return "\n".join(lines)


def test_the_tutorial_works_from_an_empty_directory(litegate: Any, tmp_path: Path) -> None:
    found = blocks(PAGE.read_text())
    (tmp_path / "litegate").symlink_to(ROOT)
    outputs = tmp_path / "outputs"
    outputs.mkdir()
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "AWS_", "MLFLOW"))}

    command = ["bash", "-c", script(found, litegate.home, outputs)]
    code = subprocess.run(command, cwd=tmp_path, env=clean, check=False, timeout=1500).returncode

    ran = [(outputs / f"{number}.out") for number in range(len(found))]
    last = max(number for number, path in enumerate(ran) if path.exists())
    assert code == 0, f"{found[last].commands}\n{ran[last].read_text()}"
    for block, path in zip(found, ran, strict=True):
        output = path.read_text()
        assert missing_line(block.shown, output) is None, f"{block.commands}\n{output}"


def test_there_is_a_block_for_each_fence_and_output_for_each_run() -> None:
    found = blocks(PAGE.read_text())
    assert sum(block.commands.count("litegate run ") for block in found) == 3
    assert [block.commands for block in found if "litegate run " in block.commands and not block.shown] == []


@pytest.mark.parametrize(
    ("shown", "missing"),
    [
        ("b  c", None),
        ("a\n...\nd ~1.5 %", None),
        ("d ~+9 %", None),
        ("d 2.5 %", "d 2.5 %"),
        ("b c\na", "a"),
        ("a ...", "a ..."),
        ("... %", None),
    ],
)
def test_a_line_is_found_in_its_order(shown: str, missing: str | None) -> None:
    assert missing_line(shown.splitlines(), "a\nb c\n\n d  -0.5 %\n") == missing
