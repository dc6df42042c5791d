"""`litegate.compare`: a comparison from Python, as from a notebook."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from litegate.comparison.comparing import Comparing
from litegate.errors import SpecError
from litegate.first_spec.looking import Look, name_of
from litegate.records import Comparison
from litegate.settings import settings
from litegate.spec import Spec, load_spec, parse_spec, with_values
from litegate.storage.whole_files import write_whole

__all__ = ["Arrays", "address_of", "compare", "variants_in"]

Arrays = Mapping[str, NDArray[Any]]
"""Samples in memory: an array for each of the model's inputs, by its name, and `label`; axis 0 counts samples."""


def compare(
    spec: str | Path | Spec | None = None,
    *,
    model: str | Path | None = None,
    calibration: str | Path | Arrays | None = None,
    evaluation: str | Path | Arrays | None = None,
    name: str | None = None,
    label: str | None = None,
    signature: str | None = None,
    target: str | None = None,
    variants: Sequence[str] | str | None = None,
    candidates: Mapping[str, str | Path] | None = None,
    max_drop: float | None = None,
    policy: Mapping[str, Any] | None = None,
    required: Sequence[str] = (),
    out: str | Path | None = None,
    home: str | Path | None = None,
    quiet: bool = False,
    remeasure: bool = False,
) -> Comparison:
    """Quantize, evaluate and judge the variants of a model; neither Airflow nor MLflow nor an S3 server is needed.

    Either a spec is given, or a model and its data, from which a first spec is made as `litegate init` does. Models
    are loaded, and the user's code is run, in confined child processes.

    Args:
        spec: a spec file, or a `Spec`, whose relative paths are seen from the current folder.
        model: a SavedModel folder, a `.keras`, `.h5` or float32 `.tflite` file; local or `s3://`.
        calibration: data to calibrate with: a file, folder, S3 prefix or glob, or arrays of shape (samples, ...) by
            the names of the model's inputs.
        evaluation: data to evaluate with, with their labels; those that calibrate if it is left out.
        name: the model's name; its file's if it is left out.
        label: the field with the labels, if it cannot be told.
        signature: the model's signature, if it has several.
        target: where the model will run, in place of the spec's (`cpu` for a model).
        variants: names of variants, or `all`, in place of the spec's (the target's for a model).
        candidates: finished `.tflite` files to judge, or `.json` recipes of LiteRT's quantizer, by names of their
            own; beside a model no variants are made then unless some are named.
        max_drop: the largest allowed loss, in the metric's own unit: 0.01 is one point of accuracy.
        policy: other keys of the spec's section `gate`.
        required: variants that decide the outcome; if there are none, any that passes does.
        out: the folder for the variants' files, `report.html` and `result.json`; `compare-<name>` if left out.
        home: the folder of local state; results are shared with `litegate run` of the same home.
        quiet: whether no line is written to standard error for each step.
        remeasure: whether latencies are measured anew, where stored ones of the same files on this host would do.

    Returns:
        The verdicts, the selected variant and the path of its file; shown as a table in a notebook.

    Raises:
        BadInput: the spec, the model or the data cannot be used; as `SpecError`, `ModelError` or `DataError`.
        StepFailed: a step that every variant needs failed.
        StackError: there is no Python with TensorFlow; `make setup` makes one.

    Examples:
        A model and its data; the gate allows a loss of five points of accuracy:

        >>> result = litegate.compare(
        ...     model="model.keras",
        ...     calibration="calibration.npz",
        ...     evaluation="test.npz",
        ...     variants=["dynamic_range", "float16"],
        ...     max_drop=0.05,
        ...     quiet=True,
        ... )
        >>> [(row.variant, row.verdict) for row in result.variants]
        [('float32', 'baseline'), ('dynamic_range', 'passed'), ('float16', 'passed')]
        >>> result.answer
        'ship dynamic_range'
        >>> Path(result.file).name
        'model-dynamic_range.tflite'

        The same by a spec file, where `int8` must pass and nothing may be larger than a thousand bytes:

        >>> strict = litegate.compare(
        ...     "spec.yaml", variants="int8", policy={"max_bytes": 1000}, required=["int8"], quiet=True
        ... )
        >>> strict.passed, strict.file
        (False, None)
        >>> strict.answer
        'int8 must pass and was rejected'
    """
    if (spec is None) == (model is None or calibration is None):
        got = "neither" if spec is None else "both"
        raise SpecError("compare", "a spec, or a model and calibration data", got)
    places = settings(None if home is None else Path(home).absolute())
    changes: dict[str, Any] = {"target": target, "variants": variants_in(variants), "gate.max_drop": max_drop}
    if candidates is not None:
        changes["candidates"] = [candidate_in(name, address_of(uri)) for name, uri in candidates.items()]
        if spec is None and variants is None:
            changes["variants"] = []
    changes |= {f"gate.{key}": value for key, value in (policy or {}).items()}
    if spec is None:
        name = name or name_of(str(model))
        folder = _folder(out, name)
        data = _in_files(calibration, folder, "calibration")
        tests = None if evaluation is None else _in_files(evaluation, folder, "evaluation")
        more: dict[str, Any] = {"target": target, "label": label, "signature": signature, "max_drop": max_drop}
        look = Look(str(model), data, tests, named="calibration", **more)
        chosen = parse_spec(look.first_spec(name, None, places).keys, "compare")
    else:
        chosen = spec if isinstance(spec, Spec) else load_spec(Path(spec))
        folder = _folder(out, chosen.model.name)
    given = {key: value for key, value in changes.items() if value is not None}
    chosen = with_values(chosen, given, "compare") if given else chosen
    base = Path(spec).resolve().parent if isinstance(spec, str | Path) else Path.cwd()
    return Comparing(chosen, base, folder, places, required, _quiet if quiet else _say, remeasure).run()


def variants_in(names: Sequence[str] | str | None) -> Sequence[str] | str | None:
    """Names of variants as a spec has them; a text is `all`, or names with commas between them."""
    if isinstance(names, str) and names != "all":
        return names.split(",")
    return names if names is None or isinstance(names, str) else list(names)


def candidate_in(name: str, uri: str) -> dict[str, str]:
    """A file to judge as a spec has it: finished, or a recipe, which its ending tells."""
    return {"name": name, "recipe" if uri.endswith(".json") else "uri": uri}


def address_of(uri: str | Path) -> str:
    """An address as a spec has it that lies nowhere: a local path is absolute."""
    return str(uri) if "://" in str(uri) else str(Path(uri).absolute())


def _folder(out: str | Path | None, name: str) -> Path:
    return Path(f"compare-{name}" if out is None else out).absolute()


def _in_files(data: str | Path | Arrays | None, folder: Path, name: str) -> str:
    """The address of data; arrays become a file, which is left alone where it holds them already."""
    if not isinstance(data, Mapping):
        return str(data)
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **{key: np.asarray(array) for key, array in data.items()})
    path = folder / "data" / f"{name}.npz"
    if not path.exists() or path.read_bytes() != content.getvalue():
        write_whole(path, iter((content.getvalue(),)))
    return str(path)


def _say(step: str, variant: str, state: str) -> None:
    if state != "running":
        sys.stderr.write(f"{variant or 'all'}: {step} {state}\n")


def _quiet(*_: str) -> None:
    """Nothing is said."""
