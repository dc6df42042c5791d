"""`litegate evidence` as it is typed, with the digits: out to a device, back, and what the gate then says."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from litegate.cli.main import main
from litegate.examples import digits
from litegate.settings import settings

TRAIN = """
import pathlib, sys
from litegate.examples.digits import train

folder = pathlib.Path(sys.argv[1])
train(folder, str(folder / "train.npz"), epochs=8)
"""
SPEC = """
model: {name: digits, uri: model.keras}
calibration: {uri: calibration.npz, format: npz}
evaluation: {uri: test.npz, format: npz, device: {name: pi5, evidence: kept}}
variants: [int8, dynamic_range]
gate: {max_drop: 0.03}
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the digits and a model of them."""
    folder = tmp_path_factory.mktemp("digits")
    for split in digits.SPLITS:
        digits.prepare(folder, split)
    quiet = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    command = [settings().pythons["tensorflow"], "-c", TRAIN, folder]
    subprocess.run(command, check=True, capture_output=True, env=quiet)
    return folder


@pytest.fixture
def example(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same with a spec that has a device; the current folder."""
    monkeypatch.chdir(shutil.copytree(trained, tmp_path, dirs_exist_ok=True))
    (tmp_path / "digits.yaml").write_text(SPEC)
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    """What a command answers as JSON."""
    assert main([*arguments, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def on_the_board(folder: Path, variant: str, evidence: str) -> None:
    """The script, run as it is run there: by itself."""
    python, script = settings().pythons["tensorflow"], folder / "run_on_device.py"
    arguments = [folder / f"{variant}.tflite", folder / "samples.npz", "--device", "pi5", "-o", evidence]
    subprocess.run([python, "-I", script, *arguments], check=True, capture_output=True)


def broken(evidence: str) -> None:
    """Kernels that go wrong on every fifth sample."""
    with np.load(evidence) as found:
        arrays = dict(found)
    (name,) = (name for name in arrays if name.startswith("output/"))
    arrays[name][::5] = np.roll(arrays[name][::5], 1, axis=1)
    np.savez(evidence, **arrays | {"runtime": np.array("a broken NPU")})


@pytest.mark.e2e
@pytest.mark.usefixtures("warm_steps")
def test_a_verdict_rests_on_the_device(example: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = said(capsys, "evidence", "request", "digits.yaml", "int8", "float32", "board")
    assert given["samples"]["count"] == digits.SPLITS["test"]
    assert list(given["files"]) == ["int8", "float32"]

    for variant in ("int8", "float32"):
        on_the_board(example / "board", variant, f"{variant}.npz")
        added = said(capsys, "evidence", "add", "digits.yaml", variant, f"{variant}.npz")
        assert (added["device"], added["new"], added["artifact"]) == ("pi5", True, given["files"][variant]["digest"])
    good = said(capsys, "compare", "digits.yaml", "--out", "good")
    rows = {row["variant"]: row for row in good["variants"]}
    assert (good["selected"], rows["int8"]["verdict"]) == ("int8", "passed")
    assert rows["int8"]["disagreement"]["outputs"] == 0, "it was this host that ran it"
    assert rows["int8"]["on_device"]["name"] == "device:pi5"
    assert rows["dynamic_range"]["outcome"] == "failed"
    assert rows["dynamic_range"]["reasons"][0].startswith("evaluate failed: no evidence of it from device:pi5")
    assert not any("float32, which the drop" in warning for warning in good["warnings"])
    page = (example / "good" / "report.html").read_text()
    assert "Each file was run by device:pi5, whose word counts, and by LiteRT on this host" in page
    assert "int8 on device:pi5 (ai-edge-litert " in page

    broken("int8.npz")
    assert "--replace" in said(capsys, "evidence", "add", "digits.yaml", "int8", "int8.npz", code=2)["error"]
    assert said(capsys, "evidence", "add", "digits.yaml", "int8", "int8.npz", "--replace")["runtime"] == "a broken NPU"
    bad = said(capsys, "compare", "digits.yaml", "--out", "bad", code=3)
    row = next(row for row in bad["variants"] if row["variant"] == "int8")
    assert (row["verdict"], row["disagreement"]["cause"]) == ("failed", "kernels")
    assert row["disagreement"]["host_drop"] < 0.03
    assert "the kernels of device:pi5 did it: on LiteRT it loses at most" in row["sentence"]
    page = (example / "bad" / "report.html").read_text()
    assert "int8: the kernels of device:pi5 did it" in page
    assert "device:pi5 (a broken NPU)" in page


@pytest.mark.e2e
@pytest.mark.usefixtures("warm_steps")
def test_what_to_type_next_is_said(example: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evidence", "request", "digits.yaml", "int8", "board"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "  python run_on_device.py int8.tflite samples.npz --device pi5 -o int8-pi5.npz" in lines
    assert "  litegate evidence add digits.yaml int8 int8-pi5.npz" in lines
    on_the_board(example / "board", "int8", "int8-pi5.npz")
    assert main(["evidence", "add", "digits.yaml", "int8", "int8-pi5.npz"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^device:pi5 ran int8 \(\w{12}\) on 697 samples$", out, re.M)
    assert out.endswith("next: litegate compare digits.yaml\n")
    assert main(["compare", "digits.yaml"]) == 0
    shown = capsys.readouterr().out
    assert "judged on device:pi5 (ai-edge-litert " in shown
    assert "warning: float32, which the drop is taken from, was run by LiteRT on this host: there is no" in shown
    assert "on device ms" in shown.splitlines()[0]
    assert "int8: on device:pi5 " in shown
    assert "float32: on " not in shown, "what the host alone ran does not differ from itself"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("request", "nothing.yaml", "int8", "board"), "nothing.yaml: expected a readable spec file"),
        (("request", "spec.yaml", "int9", "board"), "VARIANT: expected one of the spec's: float32, int8"),
        (("add", "spec.yaml", "int8", "nothing.npz"), "nothing.npz: expected evidence of a device, got no such file"),
        (("add", "alone.yaml", "int8", "nothing.npz"), "evaluation.device: expected the device"),
    ],
)
def test_what_is_wrong_is_said_and_ends_with_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], problem: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spec.yaml").write_text(SPEC)
    (tmp_path / "alone.yaml").write_text(re.sub(", device: {.*}}", "}", SPEC))
    assert main(["evidence", *arguments, "--json", "out.json"]) == 2
    assert problem in json.loads((tmp_path / "out.json").read_text())["error"]


def test_options_may_stand_before_the_action_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["evidence", "--json", "out.json", "request", "nothing.yaml", "int8", "board"]) == 2
    assert "nothing.yaml" in json.loads((tmp_path / "out.json").read_text())["error"]
