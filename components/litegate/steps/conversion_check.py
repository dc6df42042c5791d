"""Step `conversion_check`: the float32 conversion against the source model, before anything is quantized.

A converter that drops weights, or a loader that misreads them, gives a file that looks sound; only running
both on real samples tells.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from litegate.datasets.calibration import identity_of
from litegate.datasets.representative import load_samples
from litegate.errors import ModelError
from litegate.inspection.tflite import outputs_of_custom_operators
from litegate.lint.recorded import read_recorded
from litegate.metrics.base import not_finite
from litegate.records import ConversionCheck, ConversionCheckRequest, ModelRef
from litegate.runtimes.batches import fixed_batch
from litegate.runtimes.litert import LiteRTModel
from litegate.source.signatures import evaluated_signature
from litegate.source.structures import natural
from litegate.work.step_work import Work

__all__ = ["RELATIVE_TOLERANCE", "run"]

Array = np.ndarray[Any, np.dtype[Any]]
Predictor = Callable[[Mapping[str, Array], Collection[str]], dict[str, Array]]

RELATIVE_TOLERANCE = 1e-2
"""Largest difference allowed, relative to the largest absolute output of the source model."""

_MIN_AGREEMENT = 0.99
_ROUNDING = 1e-5
"""Of two computations in float32, relative to the largest output: scores as close as that have no order."""


def run(request: ConversionCheckRequest, work: Work) -> ConversionCheck:
    """Run both on the representative samples.

    Raises:
        ModelError: an output is not finite, or the two do not agree.
    """
    uri = request.model.uri
    key = evaluated_signature(request.artifact.signatures, request.signature)
    content = work.path(request.artifact.file).read_bytes()
    if request.model.format == "tflite":
        return _with_recorded(request, key, content, work)
    features = load_samples(work.path(request.samples.file))[key]
    root = work.tree(request.model.files, "source")
    replaced = outputs_of_custom_operators(content, key)
    for name, operator in replaced.items():
        work.say("conversion_check: warning: output %s is not compared: it depends on %s", name, operator)
    wanted = sorted(set(request.artifact.signatures[key].outputs) - set(replaced), key=natural)
    samples = len(next(iter(features.values())))
    batch = fixed_batch(each.shape for each in request.artifact.signatures[key].inputs.values()) or 1
    found = ConversionCheck(samples=samples, max_abs_difference=0.0, agreement=None, not_compared=replaced, batch=batch)
    if not wanted:
        return found
    converted = _converted(content, key, features, uri)
    source = _source(root, request.model, key)(features, wanted)
    for which, outputs in (("source model", source), ("float32 conversion", converted)):
        _refuse_not_finite(which, {name: outputs[name] for name in wanted}, request, work)
    difference = max(_difference(name, converted[name], source[name], uri) for name in wanted)
    work.say("conversion_check: %d samples, largest difference %.3g", samples, difference)
    agreement = None
    if request.classifies and len(request.artifact.signatures[key].outputs) == 1:
        agreement = _agreement(source[wanted[0]], converted[wanted[0]])
    if agreement is not None and agreement < _MIN_AGREEMENT:
        expected = f"the float32 conversion to predict what the source model predicts ({_MIN_AGREEMENT:.0%})"
        raise ModelError(f"model.uri {uri}", expected, f"agreement on {agreement:.2%} of {samples} samples")
    return found.model_copy(update={"max_abs_difference": difference, "agreement": agreement})


def _with_recorded(request: ConversionCheckRequest, key: str, content: bytes, work: Work) -> ConversionCheck:
    """A .tflite file cannot say what it was made from; what its source gave may have been recorded."""
    signature = request.artifact.signatures[key]
    batch = fixed_batch(each.shape for each in signature.inputs.values()) or 1
    found = ConversionCheck(samples=0, max_abs_difference=None, agreement=None, batch=batch, compared_with="nothing")
    if request.recorded is None:
        work.say("conversion_check: warning: nothing is known of what the source of this .tflite file gave")
        return found
    features, recorded = read_recorded(work.path(request.recorded), signature)
    converted = _converted(content, key, features, request.model.uri)
    difference = max(_difference(name, converted[name], recorded[name], request.model.uri) for name in recorded)
    samples = len(next(iter(features.values())))
    work.say("conversion_check: %d recorded samples, largest difference %.3g", samples, difference)
    known = {"samples": samples, "max_abs_difference": difference, "compared_with": "recorded outputs"}
    return found.model_copy(update=known)


def _source(root: Path, model: ModelRef, key: str) -> Predictor:
    from litegate.source.loading import source_predictor  # TensorFlow, which a .tflite file does without

    return source_predictor(root, model, key)


def _converted(content: bytes, key: str, features: dict[str, Array], uri: str) -> dict[str, Array]:
    try:
        return LiteRTModel(content, key).predict(features)
    except RuntimeError as error:
        expected = "a float32 conversion that LiteRT can run"
        raise ModelError(f"model.uri {uri}", expected, " ".join(str(error).split())[:300]) from error


def _refuse_not_finite(which: str, outputs: Mapping[str, Array], request: ConversionCheckRequest, work: Work) -> None:
    bad = not_finite(outputs)
    if bad is not None:
        sample = identity_of(bad[1], request.chosen, request.samples.samples, request.artifact, work)
        found = f"NaN or infinity in its output {bad[0]} for calibration sample {sample}: look at it, and at the model"
        raise ModelError(f"model.uri {request.model.uri}", f"finite outputs of the {which}", found)


def _difference(output: str, converted: Array, source: Array, uri: str) -> float:
    if converted.shape != source.shape:
        raise ModelError(
            f"model.uri {uri}", f"output {output} of shape {source.shape}", f"{converted.shape} after conversion"
        )
    difference = float(np.max(np.abs(converted.astype(np.float64) - source)))
    limit = RELATIVE_TOLERANCE * max(float(np.max(np.abs(source))), 1e-6)
    if difference > limit:
        raise ModelError(
            f"model.uri {uri}",
            f"a float32 conversion within {limit:.3g}",
            f"a difference of {difference:.3g} in output {output}",
        )
    return difference


def _agreement(source: Array, converted: Array) -> float | None:
    """Share of samples with the same prediction, scores that only rounding tells apart being equal; None without."""
    if source.ndim != 2 or source.shape[1] < 2:
        return None
    theirs = np.take_along_axis(converted, source.argmax(axis=1)[:, np.newaxis], axis=1)[:, 0]
    return float(np.mean(converted.max(axis=1) - theirs <= _ROUNDING * np.abs(source).max()))
