"""Look at a model and its data as a run does, in confined processes, and decide on a first spec."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from litegate.errors import ModelError
from litegate.execution.step_run import StepRun
from litegate.first_spec.choices import DataSet, first_spec
from litegate.first_spec.data_format import data_format
from litegate.first_spec.judging import Asked
from litegate.first_spec.text import FirstSpec
from litegate.records import Converted, ConvertRequest, DataRef, InferSchemaRequest, Resolved, ResolveRequest, Signature
from litegate.settings import Settings
from litegate.spec import parse_spec
from litegate.steps import STEPS

__all__ = ["Look", "name_of", "own_name_of"]

_EVALUATION = "EVALUATION"
_NO_NAMES = ("model", "saved_model", "savedmodel")


@dataclass(frozen=True)
class Look:
    """What is looked at, and what a person says of it.

    Attributes:
        model: a SavedModel folder, a `.keras`, `.h5` or float32 `.tflite` file; local or on S3.
        calibration: data: a file, a folder, an S3 prefix or a glob.
        evaluation: data too; None for the same.
        target: where the model will run.
        label: the field with the labels, if it cannot be told.
        signature: the model's, if it has several.
        format: of the data, if their names do not tell it.
        max_drop: the largest allowed loss; None for a usual one.
        asked: what the model is to be judged by, if it cannot be told.
        named: what messages call the calibration data.
    """

    model: str
    calibration: str
    evaluation: str | None = None
    target: str | None = None
    label: str | None = None
    signature: str | None = None
    format: str | None = None
    max_drop: float | None = None
    asked: Asked = field(default_factory=Asked)
    named: str = "CALIBRATION"

    def first_spec(self, name: str, folder: Path | None, places: Settings) -> FirstSpec:
        """The first spec.

        Args:
            name: the model's.
            folder: where the spec is to be, which local addresses in it are relative to; None makes them absolute.

        Raises:
            BadInput: the model or the data cannot be read, or do not fit together.
        """
        resolved = self._resolved(name, places)
        signature = self._signature(_converted(resolved, places))
        data = [
            DataSet(_as_named(uri, folder), ref.format, _inferred(ref, where, signature, places))
            for uri, ref, where in (
                (self.calibration, resolved.calibration, self.named),
                (self.evaluation or self.calibration, resolved.evaluation, _EVALUATION),
            )
        ]
        spec = first_spec(
            name,
            _as_named(self.model, folder),
            signature,
            *data,
            target=self.target or "cpu",
            label=self.label,
            max_drop=self.max_drop,
            asked=self.asked,
        )
        if self.signature:
            spec.keys["evaluation"]["signature"] = self.signature
        return spec

    def _resolved(self, name: str, places: Settings) -> Resolved:
        """The inputs, pinned as a run pins them."""
        calibration = self._section(self.calibration, self.named, places)
        evaluation = self._section(self.evaluation, _EVALUATION, places) if self.evaluation else calibration
        keys: dict[str, Any] = {"model": {"name": name, "uri": _absolute(self.model)}}
        draft = parse_spec(keys | {"calibration": calibration, "evaluation": evaluation}, "a first spec")
        found: Resolved = StepRun(STEPS["resolve"], ResolveRequest(spec=draft, folder=str(Path.cwd())), places).run()
        return found

    def _section(self, uri: str, where: str, places: Settings) -> dict[str, Any]:
        absolute = _absolute(uri)
        return {"uri": absolute, "format": self.format or data_format(absolute, where, places.cache)}

    def _signature(self, converted: Converted) -> Signature:
        signatures, named = converted.artifact.signatures, self.signature
        usual = [key for key in (named or "serving_default", *signatures) if key in signatures]
        if (named or len(signatures) > 1) and usual[:1] != [named or "serving_default"]:
            expected = f"one of the signatures {', '.join(signatures)}, named by --signature"
            raise ModelError(f"MODEL {self.model}", expected, named or "none")
        return signatures[usual[0]]


def name_of(model: str) -> str:
    """A model's name from the file's or folder's: letters, digits, `_`, `-` and `.`."""
    stem = PurePosixPath(model.rstrip("/")).name.removesuffix(".keras").removesuffix(".h5").removesuffix(".tflite")
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", stem).strip("-._") or "model"


def own_name_of(model: str) -> str:
    """A name for the registry: that of the folder around a file or folder that is called nothing but a model."""
    name = name_of(model)
    if name.lower() not in _NO_NAMES:
        return name
    around = PurePosixPath(model.rstrip("/") if "://" in model else Path(model).absolute()).parent.name
    return name_of(around) if around and not around.endswith(":") else name


def _converted(resolved: Resolved, places: Settings) -> Converted:
    found: Converted = StepRun(STEPS["convert"], ConvertRequest(model=resolved.model), places).run()
    return found


def _inferred(ref: DataRef, where: str, signature: Signature, places: Settings) -> Any:
    return StepRun(
        STEPS["infer_schema"], InferSchemaRequest(data=ref, inputs=signature.inputs, where=where), places
    ).run()


def _absolute(uri: str) -> str:
    return uri if "://" in uri else str(Path(uri).absolute())


def _as_named(uri: str, folder: Path | None) -> str:
    """A local path as it is seen from the spec's folder."""
    return _absolute(uri) if "://" in uri or folder is None else os.path.relpath(Path(uri).absolute(), folder)
