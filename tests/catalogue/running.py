"""Sending a row through the real steps, up to the one that shall refuse it."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from litegate import records
from litegate.digest import digest_bytes
from litegate.errors import BadInput, StepFailed
from litegate.records import Artifact, FileRef
from litegate.settings import Settings
from litegate.spec import load_spec
from litegate.storage.workspace import Workspace
from tests.catalogue.row import Place, Row
from tests.models.unpacking import Model
from tests.single_steps import Steps

__all__ = ["run"]


class Remembering(Steps):
    """Looks at the world once, and builds broken files in place of quantized ones."""

    @cached_property
    def _resolved(self) -> records.Resolved:
        return super().resolve()

    def resolve(self) -> records.Resolved:
        return self._resolved

    def broken(self, row: Row) -> Artifact:
        """A quantized file that is not what it should be."""
        baseline = self.convert().artifact
        sound = baseline if row.id in ("file-still-float", "file-lost-io") else self.quantize(row.variant)
        workspace = Workspace(self.places.workspace, self.places.cache)
        content = broken_content(row.id, workspace.fetch(sound.file).read_bytes(), self, workspace)
        ref = FileRef(name=f"{row.variant}.tflite", digest=digest_bytes(content), bytes=len(content))
        path = self.folder / "broken.tflite"
        path.write_bytes(content)
        workspace.keep_file(path, ref.name)
        return sound.model_copy(update={"variant": row.variant, "file": ref})


def broken_content(name: str, content: bytes, steps: Steps, workspace: Workspace) -> bytes:
    if name == "file-garbage":
        return b"\x1c\0\0\0TFL3" + bytes(range(256))
    if name == "file-cut":
        return content[: len(content) // 2]
    if name == "file-lost-io":
        return workspace.fetch(steps.quantize("int8_float_fallback").file).read_bytes()
    if name == "file-still-float":
        return content
    model = Model(content)
    if name == "file-zero-point":
        quantization = model.input("CONV_2D", 1).quantization
        quantization.zeroPoint = quantization.zeroPoint + 3
    else:
        quantization = model.output("ADD").quantization
        quantization.scale = -quantization.scale
    return model.packed()


def run(row: Row, folder: Path, models: Path, hostile: Path, places: Settings) -> Exception | None:
    """Send a row through the steps until one refuses it, and return what was raised in the row's own step."""
    place = Place(folder, models, hostile)
    if row.stage == "spec":
        return _raised(load_spec, _written(row, place))
    data = {"uri": str(models / "test.npz"), "format": "npz"}
    keys: dict[str, Any] = {
        "model": {"name": "test", "uri": str(models / "keras3.keras")},
        "calibration": {"uri": str(models / "calibration.npz"), "format": "npz", "samples": 100},
        "evaluation": data,
    }
    steps = Remembering(folder, places, **(keys | dict(row.make(place))))
    return _raised(*_stage(row, steps))


def _stage(row: Row, steps: Remembering) -> tuple[Any, ...]:
    """The step of a row with its arguments, after the steps before it, which must accept what they get."""
    if row.stage in ("resolve", "convert"):
        return (steps.resolve,) if row.stage == "resolve" else (steps.resolve() and steps.convert,)
    if row.stage == "sample":
        return (steps.convert() and steps.sample,)
    if row.stage in ("lint", "conversion_check"):
        return (steps.sample() and getattr(steps, row.stage),)
    if row.stage == "evaluate":
        return (steps.evaluate, steps.convert().artifact)
    if row.stage == "quantize":
        return (steps.sample() and steps.quantize, row.variant)
    artifact = steps.broken(row) if row.id.startswith("file-") else steps.quantize(row.variant)
    return (getattr(steps, row.stage), artifact)


def _written(row: Row, place: Place) -> Path:
    made = dict(row.make(place))
    path = place.folder / "spec.yaml"
    if "bytes" in made:
        path.write_bytes(made["bytes"])
        return path
    if "text" in made:
        path.write_text(made["text"])
        return path
    data = {"uri": "data.npz", "format": "npz"}
    keys = {"model": {"name": "test", "uri": "m.keras"}, "calibration": data, "evaluation": data} | made
    path.write_text(yaml.safe_dump({name: value for name, value in keys.items() if value is not None}))
    return path


def _raised(function: Any, *arguments: Any) -> Exception | None:
    try:
        function(*arguments)
    except (BadInput, StepFailed) as error:
        return error
    return None
