"""LiteRT's own quantizer: from the float32 file to the quantized one, without TensorFlow."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from typing import Any

from litert_quantizer.algorithm_manager import AlgorithmName
from litert_quantizer.calibrator import CalibrationMode, Calibrator
from litert_quantizer.qtyping import QuantGranularity, TFLOperationName
from litert_quantizer.quantizer import Quantizer
from litert_quantizer.recipe_manager import RecipeManager
from litert_quantizer.utils.qsv_utils import min_max_update
from typing_extensions import override

from litegate.engines import engine
from litegate.engines.engine import Calibration, Refused, SourceModel
from litegate.failures import FailureKind
from litegate.inspection.tflite import describe_unopened
from litegate.progress import Progress
from litegate.runtimes.batches import batches, fixed_batch
from litegate.variants import Recipe, Weights

__all__ = ["Engine", "quantizer_recipe", "quiet", "ranges"]

Ranges = dict[str, dict[str, Any]]
"""By the name of a tensor, its smallest and largest value."""

_EVERYTHING, _LONGEST = ".*", 500
_GRANULARITY = {0: QuantGranularity.CHANNELWISE, 32: QuantGranularity.BLOCKWISE_32}


class Engine(engine.Engine):
    """The quantizer of LiteRT."""

    @override
    def make(
        self, model: SourceModel, recipe: Recipe, calibration: Calibration | None, say: Callable[..., None]
    ) -> bytes:
        try:
            with quiet():
                quantizer = Quantizer(memoryview(model.float32), quantizer_recipe(recipe))
                found = None
                if calibration is not None and quantizer.need_calibration:
                    found = ranges(model.float32, calibration, recipe.name, say)
                made = quantizer.quantize(found, enable_progress_bar=False, enable_progress_report=False)
        except Exception as error:
            said = " ".join(f"{type(error).__name__}: {error}".split())[:_LONGEST]
            raise Refused(FailureKind.UNSUPPORTED, f"LiteRT's quantizer refused {recipe.name}: {said}") from error
        assert made.quantized_model is not None
        return bytes(made.quantized_model)


def quantizer_recipe(recipe: Recipe) -> list[dict[str, Any]]:
    """A recipe in the quantizer's own form."""
    manager = RecipeManager()
    if recipe.rules:
        manager.load_quantization_recipe(list(recipe.rules))
    elif recipe.weights is not None:
        _store_weights(manager, recipe.weights)
    elif recipe.calibrated:
        bits = 16 if recipe.name.startswith("int16x8") else 8
        manager.add_static_config(_EVERYTHING, TFLOperationName.ALL_SUPPORTED, bits, 8)
        if recipe.io == "float32":
            for end in (TFLOperationName.INPUT, TFLOperationName.OUTPUT):
                manager.add_quantization_config(_EVERYTHING, end, None, AlgorithmName.NO_QUANTIZE)
    else:
        _store_weights(manager, Weights(8, "integer"))
    found: list[dict[str, Any]] = manager.get_quantization_recipe()
    return found


def ranges(float32: bytes, calibration: Calibration, name: str, say: Callable[..., None]) -> Ranges:
    """The range of each tensor on the samples, of all of them alike.

    The quantizer's own way is a moving average, which depends on the order of the samples and forgets the first.

    Args:
        float32: the model's bytes.
        name: the recipe's, for the log.
        say: takes a line of the log, with arguments as `logging` does.
    """
    sizes = {
        key: fixed_batch(spec.shape for spec in each.inputs.values()) or 1
        for key, each in describe_unopened(float32).items()
    }
    say("quantize %s: calibrating on %d samples", name, calibration.count)
    progress = Progress(say, f"quantize {name}: calibrating", calibration.count * len(calibration.samples))
    calibrator = Calibrator(
        memoryview(float32),
        num_threads=1,
        mode=CalibrationMode.CALIBRATION_PROFILER_BASED,
        qsv_update_func=min_max_update,
    )
    for key, features in calibration.samples.items():
        for batch in batches(features, sizes[key]):
            calibrator.calibrate({key: [batch]}, RecipeManager())
            progress.add(sizes[key])
    found: Ranges = calibrator.get_model_qsvs()
    return found


def _store_weights(manager: RecipeManager, weights: Weights) -> None:
    add = manager.add_dynamic_config if weights.computed == "integer" else manager.add_weight_only_config
    granularity, algorithm = _GRANULARITY[weights.block], AlgorithmName(weights.algorithm)
    operators = _IN_BLOCKS if weights.block else (TFLOperationName.ALL_SUPPORTED,)
    for operator in operators:
        add(_EVERYTHING, operator, weights.bits, granularity, algorithm)


_IN_BLOCKS = (TFLOperationName.FULLY_CONNECTED, TFLOperationName.EMBEDDING_LOOKUP)
"""The only ones with kernels for weights in blocks."""


@contextmanager
def quiet() -> Iterator[None]:
    """Without what the quantizer and its interpreter say of themselves."""
    with warnings.catch_warnings(), redirect_stderr(io.StringIO()):  # its bars go there, whatever it is told
        warnings.simplefilter("ignore")
        yield
