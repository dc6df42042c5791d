"""Step `quantize`: one variant from the SavedModel, with the settings of the LiteRT documentation."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf
import tf_keras  # noqa: F401  registers the classes that SavedModels written by Keras 2 refer to

from litegate.errors import StepFailed
from litegate.records import Artifact, QuantizeRequest, Signature
from litegate.representative import load_samples, representative_dataset
from litegate.scheme import mismatch, read_scheme
from litegate.tflite import describe, names_of
from litegate.variants import VARIANTS, Variant
from litegate.work import Work

__all__ = ["run"]


def run(request: QuantizeRequest, work: Work) -> Artifact:
    """Quantize to `request.variant`.

    Raises:
        StepFailed: the converter refused, did not calibrate, or gave something else than it was asked for.
    """
    variant = VARIANTS[request.variant]
    converter = tf.lite.TFLiteConverter.from_saved_model(str(work.tree(request.saved_model, "saved_model")))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if variant.float16:
        converter.target_spec.supported_types = [tf.float16]
    converter.target_spec.supported_ops = [getattr(tf.lite.OpsSet, name) for name in variant.ops]
    converter.inference_input_type = converter.inference_output_type = tf.dtypes.as_dtype(variant.io)
    counter = None
    if variant.calibrated:
        samples = load_samples(work.path(request.samples.file))
        counter = _Counter(representative_dataset(samples), len(samples) * request.samples.samples)
        converter.representative_dataset = counter
        work.say("quantize %s: calibrating on %d samples", variant.name, request.samples.samples)
    content = _convert(converter, variant)
    if counter is not None:
        counter.check(variant)
    _check_scheme(variant, content, work)
    signatures = describe(content)
    _check_io(variant, signatures, request.baseline.signatures)
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

    def __init__(self, feed: Callable[[], Iterator[Any]], expected: int) -> None:
        self._feed, self._expected, self._fed = feed, expected, 0

    def __call__(self) -> Iterator[Any]:
        for sample in self._feed():
            self._fed += 1
            yield sample

    def check(self, variant: Variant) -> None:
        if self._fed < self._expected:
            detail = f"the converter took {self._fed} of {self._expected} calibration samples for {variant.name}"
            raise StepFailed("quantize", "not_calibrated", detail)


def _convert(converter: Any, variant: Variant) -> bytes:
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r"\s*Warning: tf\.lite\.Interpreter is deprecated")
            content: bytes = converter.convert()
    except Exception as error:
        found = f"{type(error).__name__}: {' '.join(str(error).split())[:500]}"
        raise StepFailed("quantize", "unsupported", f"the converter refused {variant.name}: {found}") from error
    return content


def _check_scheme(variant: Variant, content: bytes, work: Work) -> None:
    """A file that is not what it is called must not pass, least of all because it is still float."""
    scheme = read_scheme(content)
    work.say("quantize %s: %s", variant.name, scheme)
    problem = mismatch(scheme, variant)
    if problem:
        raise StepFailed("quantize", "wrong_scheme", f"the converter gave no {variant.name}: {problem}")


def _check_io(variant: Variant, signatures: dict[str, Signature], baseline: dict[str, Signature]) -> None:
    """Float inputs and outputs of the baseline must have the type that was asked for, and names must be the same."""
    for key, before in baseline.items():
        after = signatures.get(key)
        if after is None or set(after.inputs) != set(before.inputs) or set(after.outputs) != set(before.outputs):
            raise StepFailed("quantize", "wrong_io", f"{variant.name}: signature {key} lost inputs or outputs")
        pairs = [(before.inputs[name], spec, name) for name, spec in after.inputs.items()]
        pairs += [(before.outputs[name], spec, name) for name, spec in after.outputs.items()]
        for was, now, name in pairs:
            expected = variant.io if was.dtype == "float32" else was.dtype
            if now.dtype != expected:
                detail = f"{variant.name}: {key}/{name} was asked to be {expected} and is {now.dtype}"
                raise StepFailed("quantize", "wrong_io", detail)
