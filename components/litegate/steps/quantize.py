"""Step `quantize`: one variant of the model, by the engine that the request names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from litegate.datasets.representative import load_samples
from litegate.engines import engine_row, load_engine
from litegate.engines.engine import Calibration, Refused, SourceModel
from litegate.engines.recipe_files import read_recipe
from litegate.errors import BadInput, StepFailed
from litegate.execution.machine import processor_type
from litegate.failures import FailureKind
from litegate.inspection import count, read_file
from litegate.inspection.tflite import describe, describe_unopened, names_of
from litegate.records import Artifact, FileRef, FineTuneRequest, FineTuning, QuantizeRequest, RecoverRequest, Recovery
from litegate.variants import GIVEN, LITERT_QUANTIZER, VARIANTS, Recipe, variant_of
from litegate.work.step_work import Work

__all__ = ["run"]

_PREPARED = "prepared.tflite"
"""What a float32 file is called that computes the same, or whose biases are corrected."""


def run(request: QuantizeRequest, work: Work) -> Artifact:
    """Quantize to `request.variant`.

    Raises:
        ValueError: there is no such engine, or it cannot make the variant.
        BadInput: the variant is calibrated, and the request has neither samples nor a calibrated model.
        StepFailed: the engine refused, would die of the model, or did not calibrate. What it gave is not looked at
            here.
        Exception: what the user's training raised.
    """
    content, story = _made(request, work)
    if request.given is not None and request.engine != GIVEN:
        _check_quantized(request, content)
    signatures = describe(content)
    ratio = request.baseline.file.bytes / len(content)
    work.say("quantize %s: %s bytes, %.2f times smaller than float32", request.variant, f"{len(content):,}", ratio)
    for key, signature in signatures.items():
        work.say(
            "quantize %s: signature %s: %s -> %s",
            request.variant,
            key,
            names_of(signature.inputs),
            names_of(signature.outputs),
        )
    file = work.keep_bytes(content, f"{request.variant}.tflite")
    return Artifact(variant=request.variant, file=file, signatures=signatures, made_on=processor_type(), **story)


def _made(request: QuantizeRequest, work: Work) -> tuple[bytes, dict[str, Any]]:
    """The file, and what an artifact says of how it was found."""
    if request.given is not None and request.engine == GIVEN:
        return _given(request, request.given, work), {}
    try:
        if request.recover is not None:
            content, recovery = _recovered(request, request.recover, work)
            return content, {"recovery": recovery}
        if request.fine_tune is not None:
            content, fine_tuning = _fine_tuned(request, request.fine_tune, work)
            return content, {"fine_tuning": fine_tuning}
        return _quantized(request, work), {}
    except Refused as refusal:
        raise StepFailed("quantize", refusal.kind, refusal.detail) from refusal


def _quantized(request: QuantizeRequest, work: Work) -> bytes:
    recipe = _recipe(request, work)
    engine = load_engine(engine_row(request.engine, "" if recipe.rules else request.variant))
    if request.calibrated is not None:
        work.say("quantize %s: from the calibrated model", request.variant)
        return engine.quantize(work.path(request.calibrated).read_bytes(), recipe)
    return engine.make(_model(request, work), recipe, _calibration(request, work, recipe), work.say)


def _recovered(request: QuantizeRequest, asked: RecoverRequest, work: Work) -> tuple[bytes, Recovery]:
    """A file that is searched for; the quantizer is there, or is missed in the words of its engine."""
    load_engine(engine_row(LITERT_QUANTIZER))
    from litegate.recovery import recovered

    if request.samples is None:
        raise BadInput("samples", "those that the search is tuned on", "none")
    float32 = work.path(request.baseline.file).read_bytes()
    samples = load_samples(work.path(request.samples.file))

    def keep(content: bytes) -> FileRef:
        return work.keep_bytes(content, _PREPARED)

    return recovered(float32, samples, asked, work.say, keep, progress=work.progress)


def _fine_tuned(request: QuantizeRequest, asked: FineTuneRequest, work: Work) -> tuple[bytes, FineTuning]:
    """A file of the model as the user's training leaves it."""
    from litegate.fine_tuning import fine_tuned

    recipe = VARIANTS[asked.base].recipe
    calibration = _calibration(request, work, recipe) if recipe else None
    assert calibration is not None
    return fine_tuned(asked, _model(request, work), calibration, work)


def _recipe(request: QuantizeRequest, work: Work) -> Recipe:
    if request.given is not None:
        rules = read_recipe(work.path(request.given).read_bytes(), f"candidates.{request.variant}")
        return Recipe(request.variant, calibrated=True, rules=tuple(rules))
    recipe = variant_of(request.variant).recipe
    assert recipe is not None
    return recipe


def _check_quantized(request: QuantizeRequest, content: bytes) -> None:
    """A quantizer that leaves what it cannot quantize in float, without a word, may leave nearly everything."""
    counts = count(read_file(content))
    kept, values = counts.stored.get("float32", 0), sum(counts.stored.values())
    if values and kept > values / 2:
        where = ", ".join(f"{name} kept {size:,} bytes" for name, size in counts.large_weights.items())
        detail = (
            f"{request.variant}: by its recipe {kept / values:.0%} of the weights stay in float32, at most half may"
        )
        raise StepFailed("quantize", FailureKind.WRONG_SCHEME, f"{detail}: {where}" if where else detail)


def _given(request: QuantizeRequest, file: FileRef, work: Work) -> bytes:
    """A finished file, which is opened by native code only if it has the baseline's signatures."""
    content = work.path(file).read_bytes()
    keys, wanted = set(describe_unopened(content)), set(request.baseline.signatures)
    if keys != wanted:
        detail = f"{request.variant}: expected the signatures of float32, {_named(wanted)}, got {_named(keys)}"
        raise StepFailed("quantize", FailureKind.WRONG_IO, detail)
    return content


def _named(keys: Iterable[str]) -> str:
    return ", ".join(key or "none (the graph as a whole)" for key in sorted(keys))


def _model(request: QuantizeRequest, work: Work) -> SourceModel:
    float32 = work.path(request.baseline.file).read_bytes()
    return SourceModel(work.tree(request.saved_model, "saved_model"), float32)


def _calibration(request: QuantizeRequest, work: Work, recipe: Recipe) -> Calibration | None:
    if not recipe.calibrated:
        return None
    if request.samples is None:
        raise BadInput("samples", f"those that {recipe.name} is calibrated on", "none")
    return Calibration(load_samples(work.path(request.samples.file)), request.samples.samples)
