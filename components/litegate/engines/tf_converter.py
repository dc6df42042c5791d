"""`tf.lite.TFLiteConverter`, from the SavedModel, with the settings of the LiteRT documentation."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf
import tf_keras  # noqa: F401  registers the classes that SavedModels written by Keras 2 refer to
from typing_extensions import override

from litegate.datasets.representative import Samples
from litegate.engines import engine
from litegate.engines.engine import Calibration, Refused, SourceModel
from litegate.failures import FailureKind
from litegate.inspection import calibrator_problem, read_file
from litegate.progress import Progress
from litegate.variants import Recipe

__all__ = ["Engine", "representative_dataset"]


class Engine(engine.Engine):
    """The converter of TensorFlow."""

    @override
    def make(
        self, model: SourceModel, recipe: Recipe, calibration: Calibration | None, say: Callable[..., None]
    ) -> bytes:
        if calibration is not None:
            _check_calibrator(recipe, model.float32)
        converter = tf.lite.TFLiteConverter.from_saved_model(str(model.saved_model))
        _set(converter, recipe)
        if calibration is None:
            return _convert(converter, recipe)
        expected = len(calibration.samples) * calibration.count
        progress = Progress(say, f"quantize {recipe.name}: calibrating", expected)
        counter = _Counter(representative_dataset(calibration.samples), expected, progress)
        converter.representative_dataset = counter
        say("quantize %s: calibrating on %d samples", recipe.name, calibration.count)
        content = _convert(converter, recipe)
        counter.check(recipe)
        return content


def representative_dataset(samples: Samples) -> Callable[[], Iterator[Any]]:
    """The generator function that `tf.lite.TFLiteConverter.representative_dataset` wants.

    Samples are fed one at a time and by input name, never as a list: the converter takes a list in the order
    of the signature, and silently swaps inputs of equal shape. A model with several signatures gets
    `(signature key, features)` pairs, the others plain features.
    """

    def feed() -> Iterator[Any]:
        for key, features in samples.items():
            for index in range(len(next(iter(features.values())))):
                one = {name: value[index : index + 1] for name, value in features.items()}
                yield (key, one) if len(samples) > 1 else one

    return feed


class _Counter:
    """The representative dataset, counting: a converter that is fed nothing gives a float model without a word."""

    def __init__(self, feed: Callable[[], Iterator[Any]], expected: int, progress: Progress) -> None:
        self._feed, self._expected, self._progress, self._fed = feed, expected, progress, 0

    def __call__(self) -> Iterator[Any]:
        for sample in self._feed():
            self._fed += 1
            yield sample
            self._progress.add()

    def check(self, recipe: Recipe) -> None:
        if self._fed < self._expected:
            detail = f"the converter took {self._fed} of {self._expected} calibration samples for {recipe.name}"
            raise Refused(FailureKind.NOT_CALIBRATED, detail)


def _set(converter: Any, recipe: Recipe) -> None:
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if recipe.float16:
        converter.target_spec.supported_types = [tf.float16]
    converter.target_spec.supported_ops = [getattr(tf.lite.OpsSet, name) for name in recipe.ops]
    converter.inference_input_type = converter.inference_output_type = tf.dtypes.as_dtype(recipe.io)


def _convert(converter: Any, recipe: Recipe) -> bytes:
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r"\s*Warning: tf\.lite\.Interpreter is deprecated")
            content: bytes = converter.convert()
    except Exception as error:
        found = f"{type(error).__name__}: {' '.join(str(error).split())[:500]}"
        raise Refused(FailureKind.UNSUPPORTED, f"the converter refused {recipe.name}: {found}") from error
    return content


def _check_calibrator(recipe: Recipe, baseline: bytes) -> None:
    """Some models kill the calibrator's process: they are told by the float32 file, and not tried."""
    problem = calibrator_problem(read_file(baseline))
    if problem:
        raise Refused(FailureKind.UNSUPPORTED, f"{recipe.name}: {problem}")
