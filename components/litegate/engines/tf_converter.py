"""TensorFlow's `TFLiteConverter`, by the settings of the LiteRT documentation.

A recipe has `supported_ops`, names of `tf.lite.OpsSet`; `io`, the type of the model's inputs and outputs; and perhaps
`supported_types`. See https://ai.google.dev/edge/litert/models/post_training_quantization.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf
import tf_keras  # noqa: F401  registers the classes that SavedModels written by Keras 2 refer to

from litegate.datasets.representative import representative_dataset
from litegate.engines.engine import Calibration, CannotMake, Source
from litegate.failures import FailureKind
from litegate.inspection import calibrator_problem, read_file

__all__ = ["make"]


def make(source: Source, recipe: Mapping[str, Any], calibration: Calibration | None) -> bytes:
    """Convert the SavedModel; see `litegate.engines.engine.Engine`."""
    if calibration is None:
        return _converted(_converter(source, recipe))
    _check_calibrator(source.baseline)
    feed = _Feed(calibration)
    converter = _converter(source, recipe)
    converter.representative_dataset = feed
    content = _converted(converter)
    feed.check()
    return content


def _converter(source: Source, recipe: Mapping[str, Any]) -> Any:
    converter = tf.lite.TFLiteConverter.from_saved_model(str(source.saved_model))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_ops = [getattr(tf.lite.OpsSet, name) for name in recipe["supported_ops"]]
    if "supported_types" in recipe:
        converter.target_spec.supported_types = [tf.dtypes.as_dtype(name) for name in recipe["supported_types"]]
    converter.inference_input_type = converter.inference_output_type = tf.dtypes.as_dtype(recipe["io"])
    return converter


def _converted(converter: Any) -> bytes:
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r"\s*Warning: tf\.lite\.Interpreter is deprecated")
            content: bytes = converter.convert()
    except Exception as error:
        said = f"{type(error).__name__}: {' '.join(str(error).split())[:500]}"
        raise CannotMake(FailureKind.UNSUPPORTED, f"the converter refused it: {said}") from error
    return content


def _check_calibrator(baseline: bytes) -> None:
    """Some models kill the calibrator's process: they are told by the float32 file, and not tried."""
    if problem := calibrator_problem(read_file(baseline)):
        raise CannotMake(FailureKind.UNSUPPORTED, problem)


class _Feed:
    """The representative dataset, counting: a converter that is fed nothing gives a float model without a word."""

    def __init__(self, calibration: Calibration) -> None:
        self._calibration, self._fed = calibration, 0

    def __call__(self) -> Iterator[Any]:
        for sample in representative_dataset(self._calibration.samples)():
            self._fed += 1
            yield sample
            self._calibration.seen()

    def check(self) -> None:
        """Raises:
        CannotMake: not every sample was taken.
        """
        expected = len(self._calibration)
        if self._fed < expected:
            detail = f"the converter took {self._fed} of {expected} calibration samples"
            raise CannotMake(FailureKind.NOT_CALIBRATED, detail)
