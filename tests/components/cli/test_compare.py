"""`litegate compare` as it is typed: which arguments go together, and what is said about the others."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

LITEGATE = Path(sys.executable).parent / "litegate"

SPEC = """
model: {name: m, uri: m.keras}
calibration: {uri: c.npz, format: npz}
evaluation: {uri: e.npz, format: npz}
"""


def litegate(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(LITEGATE), "compare", *arguments, "--home", str(folder / "home")]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("spec.yaml", "data.npz"), "expected SPEC.yaml, or MODEL and CALIBRATION, got both a spec and data"),
        (("m.keras",), "expected SPEC.yaml, or MODEL and CALIBRATION, got m.keras alone"),
        (("nothing.yaml",), "nothing.yaml"),
        (("m.keras", "nothing.npz"), "CALIBRATION"),
        (("spec.yaml", "--variants", "int9"), "int9"),
        (("spec.yaml", "--max-drop", "-1"), "gate.max_drop"),
        (("spec.yaml", "--require", "uint8"), "expected one of the variants"),
        (("spec.yaml", "--out", "spec.yaml"), "--out: expected a folder"),
        (("spec.yaml",), "model.uri"),
    ],
)
def test_what_is_wrong_is_said_and_ends_with_two(tmp_path: Path, arguments: tuple[str, ...], problem: str) -> None:
    (tmp_path / "spec.yaml").write_text(SPEC)
    done = litegate(tmp_path, *arguments, "--json", "out.json")
    assert done.returncode == 2, done.stderr
    assert problem in json.loads((tmp_path / "out.json").read_text())["error"]


def test_the_help_says_what_the_exit_codes_mean(tmp_path: Path) -> None:
    done = litegate(tmp_path, "--help")
    assert done.returncode == 0
    assert "exit codes: 0 a variant passed" in " ".join(done.stdout.split())
