"""Step `conversion_check`: the float32 conversion against the source model, before anything is quantized.

A converter that drops weights, or a loader that misreads them, gives a file that looks sound; only running
both on real samples tells.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from litegate.datasets.representative import load_samples
from litegate.errors import ModelError, SpecError
from litegate.records import ConversionCheck, ConversionCheckRequest
from litegate.runtimes.litert import LiteRTModel, choose_signature
from litegate.source.loading import source_predictor
from litegate.work.step_work import Work

__all__ = ["RELATIVE_TOLERANCE", "run"]

Array = np.ndarray[Any, np.dtype[Any]]

RELATIVE_TOLERANCE = 1e-2
"""Largest difference allowed, relative to the largest absolute output of the source model."""

_MIN_AGREEMENT = 0.99


def run(request: ConversionCheckRequest, work: Work) -> ConversionCheck:
    """Run both on the representative samples.

    Raises:
        ModelError: an output is not finite, or the two do not agree.
    """
    uri = request.model.uri
    try:
        key = choose_signature(tuple(request.artifact.signatures), request.signature)
    except ValueError:
        expected = f"one of {', '.join(request.artifact.signatures)}"
        raise SpecError("evaluation.signature", expected, str(request.signature)) from None
    features = load_samples(work.path(request.samples.file))[key]
    source = source_predictor(work.tree(request.model.files, "source"), request.model, key)(features)
    converted = LiteRTModel(work.path(request.artifact.file).read_bytes(), key).predict(features)
    pairs = list(zip(source, (converted[name] for name in sorted(converted)), strict=True))
    difference = max(_difference(ours, theirs, uri) for theirs, ours in pairs)
    agreement = min(_agreement(theirs, ours) for theirs, ours in pairs)
    work.say(
        "conversion_check: %d samples, largest difference %.3g, same prediction %.4f",
        len(source[0]),
        difference,
        agreement,
    )
    if agreement < _MIN_AGREEMENT:
        expected = f"the float32 conversion to predict what the source model predicts ({_MIN_AGREEMENT:.0%})"
        raise ModelError(f"model.uri {uri}", expected, f"agreement on {agreement:.2%} of {len(source[0])} samples")
    return ConversionCheck(samples=len(source[0]), max_abs_difference=difference, agreement=agreement)


def _difference(converted: Array, source: Array, uri: str) -> float:
    if converted.shape != source.shape:
        raise ModelError(f"model.uri {uri}", f"outputs of shape {source.shape}", f"{converted.shape} after conversion")
    for name, values in (("source model", source), ("float32 conversion", converted)):
        if not np.isfinite(values).all():
            raise ModelError(f"model.uri {uri}", f"finite outputs of the {name}", "NaN or infinity on real samples")
    difference = float(np.max(np.abs(converted.astype(np.float64) - source)))
    limit = RELATIVE_TOLERANCE * max(float(np.max(np.abs(source))), 1e-6)
    if difference > limit:
        raise ModelError(
            f"model.uri {uri}", f"a float32 conversion within {limit:.3g}", f"a difference of {difference:.3g}"
        )
    return difference


def _agreement(source: Array, converted: Array) -> float:
    """Share of samples with the same largest output; 1 where the output is a single number."""
    if source.ndim < 2 or source.shape[-1] < 2:
        return 1.0
    return float(np.mean(source.argmax(axis=-1) == converted.argmax(axis=-1)))
