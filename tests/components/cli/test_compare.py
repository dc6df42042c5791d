"""`litegate compare` as it is typed: which arguments go together, and what is said about the others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from litegate.cli.main import main

SPEC = """
model: {name: m, uri: m.keras}
calibration: {uri: c.npz, format: npz}
evaluation: {uri: e.npz, format: npz}
"""


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
        (("--baseline", "f.tflite", "c.npz", "e.npz", "x.npz"), "expected CALIBRATION and EVALUATION after --baseline"),
        (("spec.yaml", "--candidate", "a.tflite", "--candidate", "b/a.tflite"), "files with names of their own"),
        (("spec.yaml", "--candidate", "int8=a.tflite"), "none twice and none of a variant"),
    ],
)
def test_what_is_wrong_is_said_and_ends_with_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], problem: str
) -> None:
    monkeypatch.setenv("LITEGATE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spec.yaml").write_text(SPEC)
    assert main(["compare", *arguments, "--json", "out.json"]) == 2
    assert problem in json.loads((tmp_path / "out.json").read_text())["error"]


def test_the_help_says_what_the_exit_codes_mean(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["compare", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "exit codes: 0 a variant passed the gate" in said
    assert " 5 nothing passed, and more samples would decide" in said
