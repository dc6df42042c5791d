"""Runs of a tiny model that have work to do: each spec differs from the one before by its samples or its model."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

__all__ = ["Models"]

_SAME_EVERY, _NEW_MODEL_EVERY = 5, 3


@dataclass(frozen=True)
class Models:
    """Writes specs.

    Args:
        source: folder with what `tests/models/make_models.py` has made.
        folder: where specs, and models of other bytes, are written.
        place: the address at which a local file is found by whoever runs the specs.
    """

    source: Path
    folder: Path
    place: Callable[[Path], str] = str

    def spec(self, name: str, number: int, **changes: Any) -> Path:
        """The spec of a model's run of this number; every fifth is the one before once more."""
        asked = number - 1 if number and number % _SAME_EVERY == 0 else number
        self.folder.mkdir(exist_ok=True)
        spec = {
            "model": {"name": name, "uri": self.place(self._model(asked // _NEW_MODEL_EVERY))},
            "calibration": {**self._data("calibration"), "samples": 100, "seed": asked},
            "evaluation": self._data("test"),
            "variants": ["float16", "int8"],
            "gate": {"max_drop": 0.02},
        } | changes
        path = self.folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump(spec))
        return path

    def _data(self, name: str) -> dict[str, str]:
        return {"uri": self.place(self.source / f"{name}.npz"), "format": "npz"}

    def _model(self, number: int) -> Path:
        """The same model in a file of other bytes, which is converted anew."""
        path = self.folder / f"model-{number}.keras"
        if not path.exists():
            with zipfile.ZipFile(self.source / "keras3.keras") as kept, zipfile.ZipFile(path, "w") as made:
                for member in kept.infolist():
                    made.writestr(member, kept.read(member))
                made.comment = f"copy {number}".encode()
        return path
