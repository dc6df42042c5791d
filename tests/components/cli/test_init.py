"""`litegate init` on real models and data, and what it writes is what a run accepts."""

from __future__ import annotations

import json
from contextlib import chdir as in_folder
from pathlib import Path
from typing import Any

import pytest

from litegate.cli.main import main
from litegate.spec import load_spec

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("warm_steps")]


def test_a_spec_that_loads_is_written_beside_the_model(models: Path, tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "found.json"
    with in_folder(models):
        assert main(["init", "keras3.keras", "calibration.npz", "test.npz", "--json", str(out)]) == 0
    said = capsys.readouterr()
    assert f"wrote {models / 'keras3.yaml'}" in said.out
    assert "next: litegate run" in said.out
    assert "convert: float32 baseline" in said.err
    (note,) = json.loads(out.read_text())["notes"]
    assert note.startswith("even with 1 % newly wrong and 1 % newly right, about ")
    assert "to decide on gate.max_drop 0.01; you have 600. Add " in note
    spec = load_spec(models / "keras3.yaml")
    assert (spec.model.uri, spec.evaluation.metric) == (str(models / "keras3.keras"), "top1")
    assert (spec.calibration.samples, spec.calibration.allow) == (160, [])
    assert "image float32 (?, 8, 8, 1) -> " in (models / "keras3.yaml").read_text()

    before = (models / "keras3.yaml").read_text()
    with in_folder(models):
        assert main(["init", "keras3.keras", "calibration.npz"]) == 2
    assert "--force replaces it" in capsys.readouterr().err
    assert (models / "keras3.yaml").read_text() == before


def test_one_of_several_signatures_must_be_named(models: Path, tmp_path: Path, capsys: Any) -> None:
    command = ["init", str(models / "two_signatures"), str(models / "signatures.npz"), "--output"]
    assert main([*command, str(tmp_path / "a.yaml")]) == 2
    assert "expected one of the signatures decode, encode, named by --signature, got none" in capsys.readouterr().err
    assert not (tmp_path / "a.yaml").exists()


def test_a_file_that_is_no_model_writes_nothing(models: Path, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "m.keras").write_bytes(b"\x80\x04pickled")
    command = ["init", str(tmp_path / "m.keras"), str(models / "test.npz"), "--output", str(tmp_path / "m.yaml")]
    assert main(command) == 2
    assert "a pickle, which is never loaded" in capsys.readouterr().err
    assert not (tmp_path / "m.yaml").exists()
