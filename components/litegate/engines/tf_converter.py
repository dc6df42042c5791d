"""`tf.lite.TFLiteConverter`, from the SavedModel, with the settings of the LiteRT documentation."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Self

import tensorflow as tf
import tf_keras  # noqa: F401  registers the classes that SavedModels written by Keras 2 refer to
from typing_extensions import override

from litegate.datasets.representative import Samples
from litegate.engines import engine
from litegate.engines.engine import Calibrated, Calibration, Refused, SourceModel
from litegate.engines.refusals import in_words
from litegate.failures import FailureKind
from litegate.inspection import calibrator_problem, read_file
from litegate.inspection.tflite import describe_unopened
from litegate.progress import Progress
from litegate.runtimes.batches import batches, fixed_batch
from litegate.variants import Recipe

__all__ = ["PROVED", "Engine", "batch_sizes", "representative_dataset"]

PROVED = frozenset({"2.21.0"})
"""Versions of TensorFlow with which the tests have shown that calibrating once changes no byte of any file."""


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
            return _convert(converter, recipe, model.float32)
        counter = _Counter.of(calibration, batch_sizes(model.float32), f"quantize {recipe.name}", say)
        converter.representative_dataset = counter
        content = _convert(converter, recipe, model.float32)
        counter.check(recipe.name)
        return content

    @override
    def calibrate(
        self, model: SourceModel, recipes: Sequence[Recipe], calibration: Calibration, say: Callable[..., None]
    ) -> Calibrated | None:
        if tf.__version__ not in PROVED:
            say("calibrate: left to each variant: not tried with TensorFlow %s", tf.__version__)
            return None
        problem = calibrator_problem(read_file(model.float32))
        if problem:
            say("calibrate: not done: %s", problem)
            return None
        try:
            return _calibrated(model, recipes, calibration, say)
        except Exception as error:  # each variant says it in its own words
            say("calibrate: left to each variant: %s: %s", type(error).__name__, " ".join(str(error).split())[:500])
            return None

    @override
    def quantize(self, calibrated: bytes, recipe: Recipe) -> bytes:
        from litegate.engines.tf_calibration import FromCalibrated  # of TensorFlow's own, and only of `PROVED` versions

        converter = FromCalibrated(calibrated)
        _set(converter, recipe)
        return _convert(converter, recipe, calibrated)


def representative_dataset(samples: Samples, sizes: Mapping[str, int]) -> Callable[[], Iterator[Any]]:
    """The generator function that `tf.lite.TFLiteConverter.representative_dataset` wants.

    Samples are fed by input name, never as a list: the converter takes a list in the order of the signature, and
    silently swaps inputs of equal shape. A model with several signatures gets `(signature key, features)` pairs, the
    others plain features.

    Args:
        sizes: samples at a time, by signature: see `batch_sizes`. What the last batch lacks is its last sample again,
            which widens no range.
    """

    def feed() -> Iterator[Any]:
        for key, features in samples.items():
            for batch in batches(features, sizes[key]):
                yield (key, batch) if len(samples) > 1 else batch

    return feed


def batch_sizes(float32: bytes) -> dict[str, int]:
    """The fixed batch of each signature of the baseline; 1 where it is free."""
    signatures = describe_unopened(float32).items()
    return {key: fixed_batch(spec.shape for spec in each.inputs.values()) or 1 for key, each in signatures}


def _calibrated(
    model: SourceModel, recipes: Sequence[Recipe], calibration: Calibration, say: Callable[..., None]
) -> Calibrated | None:
    from litegate.engines import tf_calibration  # as above

    models = tf_calibration.float_models(str(model.saved_model), recipes, _set)
    first = models[recipes[0].name]
    problem = tf_calibration.not_covered(first)
    if problem:
        say("calibrate: left to each variant, because of %s", problem)
        return None
    counter = _Counter.of(calibration, batch_sizes(model.float32), "calibrate", say)
    with _quiet():
        content = tf_calibration.calibrated_model(first, counter)
    counter.check("all variants")
    return Calibrated(content, tuple(name for name, model in models.items() if model == first))


class _Counter:
    """The representative dataset, counting: a converter that is fed nothing gives a float model without a word."""

    def __init__(self, feed: Callable[[], Iterator[Any]], expected: int, progress: Progress) -> None:
        self._feed, self._expected, self._progress, self._fed = feed, expected, progress, 0

    @classmethod
    def of(cls, calibration: Calibration, sizes: Mapping[str, int], step: str, say: Callable[..., None]) -> Self:
        """Counts the batches of a calibration, and says how far it has come."""
        say("%s: calibrating on %d samples", step, calibration.count)
        expected = sum(-(-calibration.count // sizes[key]) for key in calibration.samples)
        feed = representative_dataset(calibration.samples, sizes)
        return cls(feed, expected, Progress(say, f"{step}: calibrating", expected))

    def __call__(self) -> Iterator[Any]:
        for sample in self._feed():
            self._fed += 1
            yield sample
            self._progress.add()

    def check(self, what: str) -> None:
        if self._fed < self._expected:
            detail = f"the converter took {self._fed} of {self._expected} calibration batches for {what}"
            raise Refused(FailureKind.NOT_CALIBRATED, detail)


def _set(converter: Any, recipe: Recipe) -> None:
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if recipe.float16:
        converter.target_spec.supported_types = [tf.float16]
    converter.target_spec.supported_ops = [getattr(tf.lite.OpsSet, name) for name in recipe.ops]
    converter.inference_input_type = converter.inference_output_type = tf.dtypes.as_dtype(recipe.io)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what the calibrator's interpreter says about itself."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"\s*Warning: tf\.lite\.Interpreter is deprecated")
        yield


def _convert(converter: Any, recipe: Recipe, float_model: bytes) -> bytes:
    try:
        with _quiet():
            content: bytes = converter.convert()
    except Exception as error:
        found = in_words(f"{type(error).__name__}: {error}", read_file(float_model))
        raise Refused(FailureKind.UNSUPPORTED, f"the converter refused {recipe.name}: {found}") from error
    return content


def _check_calibrator(recipe: Recipe, baseline: bytes) -> None:
    """Some models kill the calibrator's process: they are told by the float32 file, and not tried."""
    problem = calibrator_problem(read_file(baseline))
    if problem:
        raise Refused(FailureKind.UNSUPPORTED, f"{recipe.name}: {problem}")
