"""A first spec, from the signature of a model and from what its datasets hold: a pure function of them."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from litegate.errors import DataError
from litegate.first_spec.judging import Asked, judged_by, size_of
from litegate.first_spec.text import FirstSpec
from litegate.gate.planning import Plan, limit_decided, samples_needed
from litegate.records import DataField, InferredSchema, Signature, TensorSpec
from litegate.variants import ETHOS_U, MADE_BY, TARGETS, usual_engine

__all__ = ["DataSet", "first_spec"]

_LABELS = ("label", "labels", "target", "targets", "class", "cls", "y")
_TABLES = ("csv", "parquet", "tfrecord", "webdataset")
_ARRAYS = ("npz", "npy")
_NOTHING = Asked()
_USUAL_SAMPLES = 200
_EVEN, _LIKELY = 0.5, 0.8
"""Probabilities that a good variant passes: with fewer samples it rather fails, and with a good limit seldom."""
_FLIPPED = 0.01
"""The share of samples that a good variant loses, and of those that it gains; ResNet-8 on CIFAR-10 has twice that."""


@dataclass(frozen=True)
class DataSet:
    """A dataset as the spec is to name it, and what was found in it."""

    uri: str
    format: str
    found: InferredSchema


def first_spec(
    name: str,
    model: str,
    signature: Signature,
    calibration: DataSet,
    evaluation: DataSet,
    *,
    target: str = "cpu",
    label: str | None = None,
    max_drop: float | None = None,
    asked: Asked = _NOTHING,
) -> FirstSpec:
    """Decide what can be decided, and note what cannot.

    Args:
        model: its address, as the spec is to name it.
        label: the name of the labels' field, if it has to be told.
        max_drop: the largest allowed loss; None for a usual one.
        asked: what the model is to be judged by, as far as it has to be told.

    Raises:
        DataError: the datasets have no labels or no metric that can be told, or not what the model takes.
        SpecError: an output that `asked` names is none of the model's.
    """
    inputs, outputs = ({n: _shown(t) for n, t in side.items()} for side in (signature.inputs, signature.outputs))
    head = [
        f"A first spec for {model}: {_listed(inputs)} -> {_listed(outputs)}.",
        "Every key is explained by `litegate schema --markdown`; `litegate run` runs it.",
    ]
    own_label = _label(evaluation, signature, label)
    spec = FirstSpec({"model": {"name": name, "uri": model}}, head)
    spec.keys["calibration"] = _data_keys(spec, "calibration", calibration, signature, label or own_label)
    spec.keys["calibration"]["samples"] = min(_USUAL_SAMPLES, calibration.found.samples)
    spec.keys["evaluation"] = _data_keys(spec, "evaluation", evaluation, signature, own_label)
    gate = _judged(spec, evaluation, signature, own_label, asked)
    if max_drop is not None:
        gate["max_drop"] = max_drop
    if calibration.uri == evaluation.uri:
        spec.keys["calibration"]["allow"] = ["leakage"]
        spec.comments["calibration.allow"] = "take this away once evaluation has data of its own"
        spec.notes.append("the same samples calibrate and evaluate, which flatters the variants: name other data")
    spec.keys |= _choices(spec, target, gate, signature, MADE_BY[usual_engine(model)])
    if spec.keys["evaluation"]["metric"] == "top1":
        _note_power(spec, evaluation.found.samples)
    return spec


def _judged(spec: FirstSpec, data: DataSet, signature: Signature, label: str | None, asked: Asked) -> dict[str, Any]:
    """Add what the model is judged by, and return the limit."""
    found = judged_by(signature, None if label is None else data.found.fields.get(label), asked, data.uri)
    spec.keys["evaluation"] |= found.evaluation
    spec.comments["gate.max_drop"] = found.unit
    spec.notes += found.notes
    return dict(found.gate)


def _choices(
    spec: FirstSpec, target: str, gate: dict[str, Any], signature: Signature, able: Collection[str]
) -> dict[str, Any]:
    spec.comments |= {
        "target": " | ".join([*(name for name in TARGETS if name not in ETHOS_U), f"{ETHOS_U[0]} to {ETHOS_U[-1]}"]),
        "variants": "or all; these are LiteRT's own choice for the target",
        "gate.confidence": "that what is promoted keeps every limit",
        "select": "of those that pass: smallest | fastest | most_accurate",
    }
    limits = gate | {"confidence": 0.95}
    variants = [name for name in TARGETS[target].default if name in able]
    if any(tensor.dtype.startswith(("int", "uint")) for tensor in signature.inputs.values()):
        kept = [name for name in variants if not name.startswith("int16x8")]
        if kept != variants:
            spec.notes.append("the converter refuses 16x8 in models with inputs of whole numbers")
        variants = kept or variants
    return {"target": target, "variants": variants, "gate": limits, "select": "smallest"}


def _note_power(spec: FirstSpec, samples: int) -> None:
    """Whether there are samples enough for a harmless variant to pass, and what they can decide else."""
    gate, variants = spec.keys["gate"], len(spec.keys["variants"])
    harmless = Plan(gate["max_drop"], 2 * _FLIPPED, confidence=gate["confidence"], variants=variants)
    enough = samples_needed(harmless, _EVEN) if 0 < harmless.max_drop < 1 else samples
    if enough <= samples:
        return
    share = f"{100 * _FLIPPED:g} %"
    decided = math.ceil(100 * limit_decided(harmless, samples, _LIKELY)) / 100
    spec.notes.append(
        f"even with {share} newly wrong and {share} newly right, about {enough:,} samples are needed to decide on "
        f"gate.max_drop {harmless.max_drop:g}; you have {samples:,}. Add {enough - samples:,} or more, or allow "
        f"{decided:g}, which {samples:,} samples can decide; `litegate plan` computes it for other numbers"
    )


def _data_keys(spec: FirstSpec, key: str, data: DataSet, signature: Signature, label: str | None) -> dict[str, Any]:
    """Keys of a dataset, with the fields that the model's inputs take."""
    classes = f" in {len(data.found.classes)} classes" if data.found.classes else ""
    spec.comments[key] = f"{data.found.samples:,} samples{classes}"
    keys: dict[str, Any] = {"uri": data.uri, "format": data.format}
    if label not in (None, "label") and data.format != "images":
        keys["label"] = label
    fields = {name: each for name, each in data.found.fields.items() if name != label or name in signature.inputs}
    features = {
        name: _source(data, fields, name, each, len(signature.inputs)) for name, each in signature.inputs.items()
    }
    sources = {name: source for name, source in features.items() if source is not None}
    for name, source in sources.items():
        what = f"{key}: {source} of {data.uri}"
        _note_difference(spec, what, data.format, fields[source], name, signature.inputs[name])
    named = label in sources.values() or _must_be_named(data.format, sources, fields)
    return keys | ({"features": sources} if named else {})


def _must_be_named(form: str, sources: Mapping[str, str], fields: Collection[str]) -> bool:
    """Whether the inputs do not find their fields by themselves: by their names, or as the only one there is."""
    others = set(fields) - set(sources.values())
    if not sources or (not others and len(sources) == 1 and form in _TABLES):
        return False
    if list(sources.values()) == ["arr_0"] and not others:
        return False
    return any(name != source for name, source in sources.items()) or (form in _ARRAYS and bool(others))


def _source(data: DataSet, fields: Mapping[str, DataField], name: str, tensor: TensorSpec, inputs: int) -> str | None:
    """The field that feeds an input; None where columns of single numbers do together."""
    if name in fields:
        return name
    if data.format in _ARRAYS and any(field.endswith(f"/{name}") for field in fields):  # of one signature of several
        return None
    if inputs == 1 and len(fields) == 1:
        return next(iter(fields))
    numbers = [each for each in fields.values() if each.dtype not in ("text", "image") and math.prod(each.shape) == 1]
    if inputs == 1 and data.format in ("csv", "parquet") and len(numbers) == len(fields):
        return None
    fitting = [field for field, found in fields.items() if _fits(found, tensor)]
    if inputs == 1 and len(fitting) == 1:
        return fitting[0]
    expected = f"a field {name!r} for the model's input"
    found = f"the fields {', '.join(fields)}; `features` of a spec maps fields to inputs"
    raise DataError(data.uri, expected, found)


def _fits(found: DataField, tensor: TensorSpec) -> bool:
    return found.dtype == "image" or (found.dtype != "text" and math.prod(found.shape) == size_of(tensor))


def _note_difference(spec: FirstSpec, what: str, form: str, found: DataField, name: str, tensor: TensorSpec) -> None:
    """What the model does not take as it is needs a `preprocess`; only arrays are never converted."""
    shape = tensor.shape[1:]
    shaped = len(found.shape) == len(shape) and all(b in (-1, a) for a, b in zip(found.shape, shape, strict=True))
    flat = form in _TABLES and found.dtype != "image" and math.prod(found.shape) == size_of(tensor)
    typed = form in _TABLES or tensor.dtype == ("float32" if found.dtype == "image" else found.dtype)
    if typed and (shaped or flat):
        return
    if typed and tensor.shape == found.shape:
        spec.notes.append(f"{what} has the whole shape of {name}, which is then without a batch axis: save it with one")
        return
    difference = f"is {found.dtype} {_dimensions(found.shape)}, and {name} takes {tensor.dtype} {_dimensions(shape)}"
    spec.notes.append(f"{what} {difference}: write it so, or name a `preprocess` that makes it so")


def _label(data: DataSet, signature: Signature, named: str | None) -> str | None:
    """The field with the labels of an evaluation set; None for images, whose folders are their classes."""
    if data.format == "images":
        return None
    fields = [name for name in data.found.fields if name not in signature.inputs]
    if named is not None:
        fields = [name for name in data.found.fields if name == named]
    usual = [name for name in _LABELS if name in fields]
    chosen = usual[:1] or (fields if len(fields) == 1 else [])
    if not fields and named is None:
        chosen = _given_back(signature)
    if not chosen:
        found = f"the fields {', '.join(data.found.fields)}; --label names it"
        itself = "" if fields or named else ", which the evaluation data must have"
        raise DataError(data.uri, f"a field with the labels: {named or ', '.join(_LABELS)}{itself}", found)
    return chosen[0]


def _given_back(signature: Signature) -> list[str]:
    """The input that a model gives back, as an autoencoder does: without labels it is what each sample should give."""
    (_, output), *others = signature.outputs.items()
    found = [name for name, each in signature.inputs.items() if each.shape[1:] == output.shape[1:]]
    return found if len(found) == 1 and not others else []


def _shown(tensor: TensorSpec) -> str:
    return f"{tensor.dtype} {_dimensions(tensor.shape)}"


def _dimensions(shape: tuple[int, ...]) -> str:
    return f"({', '.join('?' if size < 0 else str(size) for size in shape)})"


def _listed(tensors: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {text}" for name, text in tensors.items())
