"""Writes docs/zoo.md from what the pipeline gives for the models of the zoo: `make zoo`."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from litegate.settings import settings
from litegate.variants import BASELINE, DOCUMENTED

__all__ = ["PAGE", "TITLES", "page", "results"]

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/zoo.md"
TITLES = {
    "mobilenet": "MobileNet: depthwise convolutions, ReLU6",
    "resnet": "ResNet: residual blocks",
    "grouped": "ResNeXt: grouped convolutions",
    "unet": "U-Net: transposed convolutions, a mask",
    "autoencoder": "autoencoder of dense layers",
    "siamese": "siamese network of two inputs",
    "conv3d": "convolutions in three dimensions",
    "ssd": "SSD head with LiteRT's post-processing",
    "tcn": "TCN: dilated causal convolutions",
    "lstm": "LSTM",
    "gru": "GRU",
    "transformer": "transformer block: LayerNorm, attention, GELU",
    "embedding": "embedding of integer ids",
    "stft": "STFT front end, convolutions",
}
HEAD = """# Which model gives which variant

A small model of each architecture family that people ship, sent through the pipeline's own steps in all variants. The
number is the size of the file as a share of float32's; these models are so small that little of it is weights, and
what a large one gains is [elsewhere](benchmarks.md). A letter stands for a variant that the model does not give; the
reasons are below, in the words that a run has for them.

The weights are random, and the labels are what float32 says where it is sure: this asks whether an architecture can be
quantized, not how much a trained model loses. `make zoo` writes this page (`tests/zoo/`), and a test compares it with
what the pipeline gives.
"""


def results(folder: Path, names: tuple[str, ...]) -> dict[str, Any]:
    """What the models came to, made and judged in TensorFlow's environment; see `running.py`."""
    command = [settings().pythons["tensorflow"], "-m", "tests.zoo.running", str(folder), *names]
    quiet = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    done = subprocess.run(command, cwd=ROOT, env=quiet, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    missing = [name for name in names if not (folder / f"{name}.json").exists()]
    assert not missing, "\n".join(f"{name}: {(folder / f'{name}.log').read_text()[-2000:]}" for name in missing)
    return {name: json.loads((folder / f"{name}.json").read_text()) for name in names}


def page(found: dict[str, Any]) -> str:
    """The whole page."""
    names = [name for name in DOCUMENTED if name != BASELINE]
    lines = [f"| model | {' | '.join(f'`{name}`' for name in names)} |", "|---" * (len(names) + 1) + "|"]
    reasons: list[str] = []
    for model, title in TITLES.items():
        cells = [_cell(found[model], name, reasons) for name in names]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    notes = [f"- **{_letter(number)}**: {reason}" for number, reason in enumerate(reasons)]
    return "\n".join([HEAD, *lines, "", "## Reasons", "", *notes, ""])


def _cell(found: dict[str, Any], variant: str, reasons: list[str]) -> str:
    """The size of what passed, or the letter of the reason."""
    if "error" not in found and found["variants"][variant]["state"] == "passed":
        return f"{found['variants'][variant]['bytes'] / found['float32']:.0%}"
    said = found.get("error") or "; ".join(each["message"] for each in found["variants"][variant]["reasons"])
    said = " ".join(said.split())
    same = [_of_any(reason) for reason in reasons]
    if _of_any(said) not in same:
        reasons.append(said)
        return f"**{_letter(len(reasons) - 1)}**"
    return f"**{_letter(same.index(_of_any(said)))}**"


def _of_any(reason: str) -> str:
    """Without the names of variants."""
    return re.sub(rf"\b(?:{'|'.join(DOCUMENTED)})\b", "", reason)


def _letter(number: int) -> str:
    return chr(ord("a") + number)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="litegate-zoo-") as folder:
        PAGE.write_text(page(results(Path(folder), tuple(TITLES))))


if __name__ == "__main__":
    main()
