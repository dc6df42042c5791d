"""Models that 8 bits ruin, and what is recovered of them or trained back: `make bench-recovery`, in some minutes."""

from __future__ import annotations

import argparse
import json
import math
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import yaml
from sklearn.datasets import load_digits

import litegate
from litegate.inspection import count, read_file
from litegate.records import Comparison, VariantRow
from litegate.settings import settings

MAKER = Path(__file__).with_name("recovery_models.py")
TUNING = MAKER.with_name("tuning.py")
TRAIN: dict[str, Any] = {"recover": None, "fine_tune": {"entry_point": "tuning:tune", "data": "train.npz"}}
CALIBRATION, LIMIT = 1000, 0.02
BASE = "int8_float_fallback"
MODELS: Mapping[str, tuple[str, dict[str, Any]]] = MappingProxyType(
    {
        "convolutions": (BASE, {}),
        "depthwise": (BASE, {}),
        "transformer": (BASE, {}),
        "transformer, not equalized": (BASE, {"recover": {"equalize": False}}),
        "convolutions, not equalized": (BASE, {"recover": {"equalize": False}}),
        "convolutions, trained": (BASE, TRAIN),
        "depthwise, trained": (BASE, TRAIN),
        "transformer, trained": (BASE, TRAIN),
        "beyond_integers": ("int8", {"target": "ethos-u55-128"}),
    }
)
"""The base variant of each, and what its spec has besides; the last one cannot be recovered on integers alone."""


@dataclass(frozen=True)
class Row:
    """A model: points of accuracy that are lost, None where the file fails before it is evaluated.

    Attributes:
        verdict: of the file that was recovered, or trained.
        bytes: of it, as a share of float32's.
        operators: that it has in float32.
    """

    model: str
    before: float | None
    after: float | None
    verdict: str
    bytes: float | None
    minutes: float
    operators: int
    how: str


def main() -> None:
    """Print a row for each model, and write build/bench-recovery.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("build/bench-recovery.json"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-recovery-") as folder:
        _data(Path(folder))
        shutil.copyfile(TUNING, Path(folder) / TUNING.name)
        print("train the models ...", flush=True)
        subprocess.run([settings().pythons["tensorflow"], MAKER, folder], check=True, capture_output=True)
        print(f"{'model':<28}{'before':>8}{'after':>8}{'bytes':>7}{'minutes':>9}{'in float':>10}  verdict", flush=True)
        rows = [_measured(name, Path(folder)) for name in MODELS]
    named = [row for row in rows if "," not in row.model]
    kept = [row.bytes for row in named if row.verdict == "passed" and row.bytes is not None]
    ratio = math.exp(sum(map(math.log, kept)) / len(kept)) if kept else None
    print(f"\nrecovered {len(kept)} of {len(named)}, with {ratio or math.nan:.0%} of float32's bytes (geometric mean)")
    found = {"recovered": len(kept), "of": len(named), "bytes_ratio": ratio, "models": [asdict(row) for row in rows]}
    given.output.parent.mkdir(parents=True, exist_ok=True)
    given.output.write_text(json.dumps(found, indent=2))


def _data(folder: Path) -> None:
    digits = load_digits()
    images = (digits.images / 16).astype(np.float32)[..., np.newaxis]
    order = np.random.default_rng(0).permutation(len(images))
    for name, rows in (("train", order[:CALIBRATION]), ("test", order[CALIBRATION:])):
        np.savez(folder / f"{name}.npz", image=images[rows], label=digits.target[rows])


def _measured(name: str, folder: Path) -> Row:
    base, keys = MODELS[name]
    data = {key: {"uri": str(folder / f"{key}.npz"), "format": "npz"} for key in ("train", "test")}
    spec = {
        "model": {"name": "m", "uri": str(folder / f"{name.partition(',')[0]}.keras")},
        "calibration": data["train"] | {"samples": 600},
        "evaluation": data["test"],
        "variants": [base],
        "gate": {"max_drop": LIMIT},
        "recover": {},
    }
    began = time.monotonic()
    place = folder / f"{name}.yaml"
    place.write_text(yaml.safe_dump(spec | keys))
    found = litegate.compare(place, out=folder / name, home=folder / f"{name} home", quiet=True)
    row = _row(name, base, found, (time.monotonic() - began) / 60)
    numbers = f"{_points(row.before)}{_points(row.after)}{row.bytes or math.nan:>7.0%}{row.minutes:>9.1f}"
    print(f"{name:<28}{numbers}{row.operators:>10}  {row.verdict}: {row.how}", flush=True)
    return row


def _row(name: str, base: str, found: Comparison, minutes: float) -> Row:
    rows = {row.variant: row for row in found.variants}
    made = rows.get("recovered") or rows["fine_tuned"]
    share = None if made.bytes is None else made.bytes / found.baseline.bytes
    return Row(
        model=name,
        before=_lost(rows[base]),
        after=_lost(made),
        verdict=made.verdict,
        bytes=share,
        minutes=minutes,
        operators=_in_float(Path(found.folder), made.variant),
        how=made.recovered or made.fine_tuned or "; ".join(made.reasons),
    )


def _lost(row: VariantRow) -> float | None:
    return None if row.drop is None else 100 * row.drop


def _in_float(folder: Path, variant: str) -> int:
    """How many operators of a file compute on floats."""
    counted = [count(read_file(path.read_bytes())) for path in folder.rglob(f"*-{variant}.tflite")]
    return sum(sum(each.real.values()) + sum(each.hybrid.values()) for each in counted)


def _points(value: float | None) -> str:
    return f"{'fails' if value is None else f'{value:+.2f}':>8}"


if __name__ == "__main__":
    main()
