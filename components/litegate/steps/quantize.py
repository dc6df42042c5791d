"""Step `quantize`: one variant of the model, made by the variant's engine."""

from __future__ import annotations

from litegate.datasets.representative import load_samples
from litegate.engines import Calibration, CannotMake, Source, engine_named
from litegate.errors import StepFailed
from litegate.inspection.tflite import describe, names_of
from litegate.progress import Progress
from litegate.records import Artifact, QuantizeRequest
from litegate.variants import VARIANTS, Variant
from litegate.work.step_work import Work

__all__ = ["run"]


def run(request: QuantizeRequest, work: Work) -> Artifact:
    """Quantize to `request.variant`.

    Raises:
        StepFailed: the engine refused, would die of the model, or did not calibrate. What it gave is not looked at
            here.
    """
    variant = VARIANTS[request.variant]
    baseline = work.path(request.baseline.file).read_bytes()
    source = Source(work.tree(request.saved_model, "saved_model"), baseline)
    calibration = _calibration(request, variant, work) if variant.calibrated else None
    try:
        content = engine_named(variant.engine).make(source, variant.recipe, calibration)
    except CannotMake as error:
        raise StepFailed("quantize", error.kind, f"{variant.name}: {error}") from error
    return _kept(content, variant.name, len(baseline), work)


def _calibration(request: QuantizeRequest, variant: Variant, work: Work) -> Calibration:
    samples = load_samples(work.path(request.samples.file))
    work.say("quantize %s: calibrating on %d samples", variant.name, request.samples.samples)
    total = len(samples) * request.samples.samples
    return Calibration(samples, Progress(work.say, f"quantize {variant.name}: calibrating", total).add)


def _kept(content: bytes, name: str, before: int, work: Work) -> Artifact:
    signatures = describe(content)
    times = before / len(content)
    work.say("quantize %s: %s bytes, %.2f times smaller than float32", name, f"{len(content):,}", times)
    for key, signature in signatures.items():
        inputs, outputs = names_of(signature.inputs), names_of(signature.outputs)
        work.say("quantize %s: signature %s: %s -> %s", name, key, inputs, outputs)
    return Artifact(variant=name, file=work.keep_bytes(content, f"{name}.tflite"), signatures=signatures)
