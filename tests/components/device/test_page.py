"""The page about evidence: its record is one that is taken, and its arrays are those that are read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from litegate.runtimes.device_evidence import fed_digests, read_evidence
from litegate.runtimes.evidence_checks import check_file, check_outputs, check_samples
from litegate.runtimes.litert import LiteRTModel
from tests.components.runtimes.recording import IDS, IMAGES

PAGE = (Path(__file__).parents[3] / "docs/how-to/device-evidence.md").read_text()


def test_the_code_of_the_page_writes_a_record_that_is_taken(
    tflite_files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    content, fed = tflite_files["int8"].read_bytes(), fed_digests({"image": IMAGES})
    Path("int8.tflite").write_bytes(content)
    np.savez("samples.npz", id=IDS, fed=fed, **{"input/image": IMAGES})
    model = LiteRTModel(content)

    def on_my_device(path: str, images: np.ndarray[Any, Any]) -> tuple[Any, Any]:
        return model.predict(model.quantize({"image": images}), raw=True)["scores"], np.ones(len(images))

    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    exec(code, {"on_my_device": on_my_device})
    evidence = read_evidence(tmp_path / "int8-pi5.npz")
    check_file(evidence, str(evidence.artifact), "pi5")
    check_outputs(evidence, model.outputs)
    check_samples(evidence, IDS, fed)


def test_the_page_has_every_array_of_the_record() -> None:
    table = PAGE.partition("## The record")[2].partition("## What goes wrong")[0]
    names = re.findall(r"^\| `([\w/<>]+)` \|", table, re.M)
    assert names == ["format", "artifact", "device", "runtime", "id", "fed", "output/<name>", "seconds"]
