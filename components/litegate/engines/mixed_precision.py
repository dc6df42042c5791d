"""Files of LiteRT's own quantizer in which single operators have a precision of their own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from copy import copy

from litert_quantizer.algorithm_manager import AlgorithmName
from litert_quantizer.qtyping import TFLOperationName
from litert_quantizer.quantizer import Quantizer
from litert_quantizer.recipe_manager import RecipeManager

from litegate.engines.engine import Calibration, Refused
from litegate.engines.litert_quantizer import quantizer_recipe, quiet, ranges
from litegate.failures import FailureKind
from litegate.variants import VARIANTS

__all__ = ["Address", "MixedPrecision"]

Address = tuple[str, str]
"""How the quantizer knows an operator: its kind, and the names of the tensors that it gives."""

_LONGEST = 500
_ACTIVATIONS_16, _WEIGHTS_4 = (16, 8), (8, 4)


class MixedPrecision:
    """Makes files of one model, on one calibration, which is done once.

    Args:
        float32: the model's bytes.
        base: name of the variant that operators are by default.
        calibration: the samples that find the range of each tensor.
        say: takes a line of the log, with arguments as `logging` does.

    Raises:
        Refused: the quantizer cannot calibrate the model.
    """

    def __init__(self, float32: bytes, base: str, calibration: Calibration, say: Callable[..., None]) -> None:
        recipe = VARIANTS[base].recipe
        assert recipe is not None
        self._float32, self._base, self._static = float32, quantizer_recipe(recipe), recipe.calibrated
        try:
            with quiet():
                self._ranges = ranges(float32, calibration, "recovered", say)
        except Exception as error:
            raise _refused(error) from error

    def of(self, float32: bytes) -> MixedPrecision:
        """The same for a file of the same tensors with other constants, by the ranges that were found before."""
        other = copy(self)
        other._float32 = float32
        return other

    def can(self, kind: str, precision: str) -> bool:
        """Whether the quantizer has a precision for a kind of operators."""
        try:
            self._add(RecipeManager(), (kind, ""), precision)
        except ValueError:  # it has no such kind, or not this precision for it
            return False
        return True

    def make(self, precisions: Mapping[Address, str]) -> bytes:
        """The bytes of the file in which these operators have these precisions, and all others the base's.

        Equal arguments give equal bytes.

        Raises:
            Refused: the quantizer does not make it.
        """
        manager = RecipeManager()
        try:
            with quiet():
                manager.load_quantization_recipe(self._base)
                for address, precision in sorted(precisions.items()):
                    self._add(manager, address, precision)
                quantizer = Quantizer(memoryview(self._float32), manager.get_quantization_recipe())
                made = quantizer.quantize(self._ranges, enable_progress_bar=False, enable_progress_report=False)
        except Exception as error:
            raise _refused(error) from error
        assert made.quantized_model is not None
        return bytes(made.quantized_model)

    def _add(self, manager: RecipeManager, address: Address, precision: str) -> None:
        kind, outputs = TFLOperationName(address[0]), f"^{re.escape(address[1])}$"
        if precision == "float32":
            manager.add_quantization_config(outputs, kind, None, AlgorithmName.NO_QUANTIZE)
        elif precision == "int16x8":
            manager.add_static_config(outputs, kind, *_ACTIVATIONS_16)
        elif self._static:
            manager.add_static_config(outputs, kind, *_WEIGHTS_4)
        else:
            manager.add_dynamic_config(outputs, kind, 4)


def _refused(error: Exception) -> Refused:
    said = " ".join(f"{type(error).__name__}: {error}".split())[:_LONGEST]
    return Refused(FailureKind.UNSUPPORTED, f"LiteRT's quantizer refused recovered: {said}")
