"""Step `quantize`: one variant of the model, by the engine that the request names."""

from __future__ import annotations

from litegate.datasets.representative import load_samples
from litegate.engines import engine_row, load_engine
from litegate.engines.engine import Calibration, Refused, SourceModel
from litegate.errors import StepFailed
from litegate.inspection.tflite import describe, names_of
from litegate.records import Artifact, QuantizeRequest
from litegate.variants import VARIANTS
from litegate.work.step_work import Work

__all__ = ["run"]


def run(request: QuantizeRequest, work: Work) -> Artifact:
    """Quantize to `request.variant`.

    Raises:
        ValueError: there is no such engine, or it cannot make the variant.
        StepFailed: the engine refused, would die of the model, or did not calibrate. What it gave is not looked at
            here.
    """
    content = _made(request, work)
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
    return Artifact(variant=request.variant, file=file, signatures=signatures)


def _made(request: QuantizeRequest, work: Work) -> bytes:
    engine = load_engine(engine_row(request.engine, request.variant))
    recipe = VARIANTS[request.variant].recipe
    model = SourceModel(
        saved_model=work.tree(request.saved_model, "saved_model"),
        float32=work.path(request.baseline.file).read_bytes(),
    )
    try:
        return engine.make(model, recipe, _calibration(request, work) if recipe.calibrated else None, work.say)
    except Refused as refusal:
        raise StepFailed("quantize", refusal.kind, refusal.detail) from refusal


def _calibration(request: QuantizeRequest, work: Work) -> Calibration:
    return Calibration(load_samples(work.path(request.samples.file)), request.samples.samples)
