"""Step `quantize`: one variant from the SavedModel, with the settings of the LiteRT documentation."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf
import tf_keras  # noqa: F401  registers the classes that SavedModels written by Keras 2 refer to

from litegate.datasets.representative import load_samples, representative_dataset
from litegate.errors import StepFailed
from litegate.failures import FailureKind
from litegate.inspection import calibrator_problem, read_file
from litegate.inspection.tflite import describe, names_of
from litegate.progress import Progress
from litegate.records import Artifact, QuantizeRequest
from litegate.variants import VARIANTS, Variant
from litegate.work.step_work import Work

__all__ = ["run"]


def run(request: QuantizeRequest, work: Work) -> Artifact:
    """Quantize to `request.variant`.

    Raises:
        StepFailed: the converter refused, would die of the model, or did not calibrate. What it gave is not looked
            at here.
    """
    variant = VARIANTS[request.variant]
    _check_calibrator(variant, work.path(request.baseline.file).read_bytes())
    converter = tf.lite.TFLiteConverter.from_saved_model(str(work.tree(request.saved_model, "saved_model")))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if variant.float16:
        converter.target_spec.supported_types = [tf.float16]
    converter.target_spec.supported_ops = [getattr(tf.lite.OpsSet, name) for name in variant.ops]
    converter.inference_input_type = converter.inference_output_type = tf.dtypes.as_dtype(variant.io)
    counter = None
    if variant.calibrated:
        samples = load_samples(work.path(request.samples.file))
        expected = len(samples) * request.samples.samples
        progress = Progress(work.say, f"quantize {variant.name}: calibrating", expected)
        counter = _Counter(representative_dataset(samples), expected, progress)
        converter.representative_dataset = counter
        work.say("quantize %s: calibrating on %d samples", variant.name, request.samples.samples)
    content = _convert(converter, variant)
    if counter is not None:
        counter.check(variant)
    signatures = describe(content)
    ratio = request.baseline.file.bytes / len(content)
    work.say("quantize %s: %s bytes, %.2f times smaller than float32", variant.name, f"{len(content):,}", ratio)
    for key, signature in signatures.items():
        work.say(
            "quantize %s: signature %s: %s -> %s",
            variant.name,
            key,
            names_of(signature.inputs),
            names_of(signature.outputs),
        )
    file = work.keep_bytes(content, f"{variant.name}.tflite")
    return Artifact(variant=variant.name, file=file, signatures=signatures)


class _Counter:
    """The representative dataset, counting: a converter that is fed nothing gives a float model without a word."""

    def __init__(self, feed: Callable[[], Iterator[Any]], expected: int, progress: Progress) -> None:
        self._feed, self._expected, self._progress, self._fed = feed, expected, progress, 0

    def __call__(self) -> Iterator[Any]:
        for sample in self._feed():
            self._fed += 1
            yield sample
            self._progress.add()

    def check(self, variant: Variant) -> None:
        if self._fed < self._expected:
            detail = f"the converter took {self._fed} of {self._expected} calibration samples for {variant.name}"
            raise StepFailed("quantize", FailureKind.NOT_CALIBRATED, detail)


def _convert(converter: Any, variant: Variant) -> bytes:
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r"\s*Warning: tf\.lite\.Interpreter is deprecated")
            content: bytes = converter.convert()
    except Exception as error:
        found = f"{type(error).__name__}: {' '.join(str(error).split())[:500]}"
        raise StepFailed(
            "quantize", FailureKind.UNSUPPORTED, f"the converter refused {variant.name}: {found}"
        ) from error
    return content


def _check_calibrator(variant: Variant, baseline: bytes) -> None:
    """Some models kill the calibrator's process: they are told by the float32 file, and not tried."""
    problem = calibrator_problem(read_file(baseline)) if variant.calibrated else None
    if problem:
        raise StepFailed("quantize", FailureKind.UNSUPPORTED, f"{variant.name}: {problem}")
