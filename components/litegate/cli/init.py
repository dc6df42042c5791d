"""`litegate init`: look at a model and its data as a run would, and write a first spec."""

from __future__ import annotations

import os
import re
from argparse import Namespace
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from litegate.cli.data_format import data_format
from litegate.cli.first_spec import DataSet, first_spec
from litegate.cli.output import answer
from litegate.cli.progress import Progress, showing_log
from litegate.cli.spec_text import FirstSpec
from litegate.errors import ModelError, SpecError
from litegate.records import Converted, ConvertRequest, DataRef, Resolved, ResolveRequest, Signature, SurveyRequest
from litegate.runner import StepRun
from litegate.settings import Settings, settings
from litegate.spec import parse_spec
from litegate.stack import Home, running
from litegate.stack.environment import client_environment
from litegate.storage import write_whole

__all__ = ["init", "look_at", "name_of", "use_home"]


def init(home: Home, options: Namespace) -> int:
    """Write the spec and say what is in it; returns the exit code.

    Raises:
        BadInput: the model or the data cannot be read, or do not fit together.
        SpecError: the file is there already.
    """
    name = options.name or name_of(options.source)
    path = (options.output or Path(f"{name}.yaml")).resolve()
    if path.exists() and not options.force:
        raise SpecError(str(path), "a new file", "one that is there already; --force replaces it")
    use_home(home)
    with Progress(f"looking at {options.source}") as progress, showing_log(progress):
        spec = look_at(options, name, path.parent)
    parse_spec(yaml.safe_load(spec.text), str(path))
    write_whole(path, iter((spec.text.encode(),)))
    answer({"spec": str(path), "keys": spec.keys, "notes": spec.notes}, options.json, lambda: _say(spec, path))
    return 0


def look_at(options: Namespace, name: str, folder: Path | None, data: str = "DATA") -> FirstSpec:
    """A first spec for a model and its data.

    Args:
        options: `source`, `data` and `evaluation` are addresses; `format`, `label`, `signature` and `target` help.
        folder: where the spec is to be, which local addresses in it are relative to; None makes them absolute.
        data: what the command calls the data that calibrate.

    Raises:
        BadInput: the model or the data cannot be read, or do not fit together.
    """
    return _Look(settings(), options, data).spec(name, folder)


class _Look:
    """The steps of a run that come before any quantization, and a survey of each data set."""

    def __init__(self, places: Settings, options: Namespace, data: str) -> None:
        self.places, self.options, self.data = places, options, data

    def spec(self, name: str, folder: Path | None) -> FirstSpec:
        """What the looking came to."""
        options = self.options
        resolved = self._resolved(name)
        signature = self._signature(resolved)
        data = [
            DataSet(_as_named(uri, folder), ref.format, self._survey(ref, where, signature))
            for uri, ref, where in (
                (options.data, resolved.calibration, self.data),
                (options.evaluation or options.data, resolved.evaluation, "EVALUATION"),
            )
        ]
        model = _as_named(options.source, folder)
        spec = first_spec(name, model, signature, *data, target=options.target or "cpu", label=options.label)
        if options.signature:
            spec.keys["evaluation"]["signature"] = options.signature
        return spec

    def _resolved(self, name: str) -> Resolved:
        """The inputs, pinned as a run pins them."""
        options = self.options
        calibration = self._section(options.data, self.data)
        evaluation = self._section(options.evaluation, "EVALUATION") if options.evaluation else calibration
        keys = {"model": {"name": name, "uri": _absolute(options.source)}}
        draft = parse_spec(keys | {"calibration": calibration, "evaluation": evaluation}, "litegate init")
        found: Resolved = self._run("resolve", ResolveRequest(spec=draft, folder=str(Path.cwd())))
        return found

    def _section(self, uri: str, where: str) -> dict[str, Any]:
        absolute = _absolute(uri)
        return {"uri": absolute, "format": self.options.format or data_format(absolute, where, self.places.cache)}

    def _signature(self, resolved: Resolved) -> Signature:
        converted: Converted = self._run("convert", ConvertRequest(model=resolved.model))
        signatures, named = converted.artifact.signatures, self.options.signature
        usual = [key for key in (named or "serving_default", *signatures) if key in signatures]
        if (named or len(signatures) > 1) and usual[:1] != [named or "serving_default"]:
            expected = f"one of the signatures {', '.join(signatures)}, named by --signature"
            raise ModelError(f"MODEL {self.options.source}", expected, named or "none")
        return signatures[usual[0]]

    def _survey(self, ref: DataRef, where: str, signature: Signature) -> Any:
        return self._run("survey", SurveyRequest(data=ref, inputs=signature.inputs, where=where))

    def _run(self, step: str, request: Any) -> Any:
        return StepRun(step, request, self.places).run()


def use_home(home: Home) -> None:
    """Have steps use the workspace of a home: what is computed here, a run of its servers finds."""
    stack = running(home)
    if stack is not None:
        os.environ.update(client_environment(home, stack) | {"LITEGATE_WORKSPACE": stack.workspace})
    os.environ["LITEGATE_HOME"] = str(home.root)


def name_of(model: str) -> str:
    """A model's name from the file's or folder's: letters, digits, `_`, `-` and `.`."""
    stem = PurePosixPath(model.rstrip("/")).name.removesuffix(".keras").removesuffix(".h5")
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", stem).strip("-._") or "model"


def _absolute(uri: str) -> str:
    return uri if "://" in uri else str(Path(uri).absolute())


def _as_named(uri: str, folder: Path | None) -> str:
    """A local path as it is seen from the spec's folder."""
    return _absolute(uri) if "://" in uri or folder is None else os.path.relpath(Path(uri).absolute(), folder)


def _say(spec: FirstSpec, path: Path) -> None:
    print(f"wrote {path}")
    for line in (*spec.head[:1], *(f"note: {note}" for note in spec.notes)):
        print(f"  {line}")
    print(f"next: litegate run {os.path.relpath(path)}")
