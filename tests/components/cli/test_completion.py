"""Completion in a real shell."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent

# What bash does when the tabulator key is pressed.
PRESSED = """
PATH={bin}:$PATH
eval "$(litegate completion bash)"
COMP_LINE={line!r} COMP_POINT={length} COMP_TYPE=9 COMP_WORDS=({line}) COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_python_argcomplete litegate "${{COMP_WORDS[COMP_CWORD]}}" ""
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def completed(line: str, folder: Path) -> list[str]:
    script = PRESSED.format(bin=BIN, line=line, length=len(line))
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, cwd=folder)
    return sorted(word.strip() for word in done.stdout.splitlines())


def test_commands_are_completed(tmp_path: Path) -> None:
    assert completed("litegate re", tmp_path) == ["reconcile", "reinstate"]
    assert completed("litegate fo", tmp_path) == ["follow"]


def test_options_and_their_values_are_completed(tmp_path: Path) -> None:
    assert completed("litegate init --fo", tmp_path) == ["--force", "--format"]
    assert completed("litegate init --target micro", tmp_path) == ["microcontroller"]


def test_a_spec_is_a_yaml_file(tmp_path: Path) -> None:
    for name in ("mine.yaml", "mine.npz"):
        (tmp_path / name).touch()
    assert completed("litegate run mi", tmp_path) == ["mine.yaml"]


def test_what_is_no_file_is_not_completed_by_one(tmp_path: Path) -> None:
    (tmp_path / "digits.npz").touch()
    assert completed("litegate rollback dig", tmp_path) == [""]


@pytest.mark.parametrize("shell", ["zsh", "fish", "powershell"])
def test_other_shells_get_a_script_of_their_own(shell: str) -> None:
    done = subprocess.run([BIN / "litegate", "completion", shell], capture_output=True, text=True, check=True)
    assert "litegate" in done.stdout
    assert "argcomplete" in done.stdout.lower()
