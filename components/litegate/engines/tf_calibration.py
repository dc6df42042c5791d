"""One calibration for many quantizations with TensorFlow's converter, where the files are the same bytes for it.

The converter makes an integer file in three steps: the SavedModel becomes a float model, the calibrator runs this on
the samples, and the quantizer uses the ranges that it has seen. Types of inputs and outputs and the operators that are
allowed are the quantizer's alone. Whether the float model depends on the type of the activations is found out with the
model at hand: it is built by every set of flags that the recipes come to, and must be the same. What follows is the
converter's own code; why this gives its own bytes is in `docs/adr/0033-calibrate-once.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import tensorflow as tf
from tensorflow.lite.python import convert, lite
from tensorflow.lite.python.optimize import calibrator
from typing_extensions import override

from litegate.inspection import read_file
from litegate.variants import Recipe

__all__ = ["FromCalibrated", "calibrated_model", "float_models", "not_covered"]

Settings = Callable[[Any, Recipe], None]
"""Sets a converter as a recipe says."""

_OF_CHANCE = frozenset({"RANDOM_UNIFORM", "RANDOM_STANDARD_NORMAL", "MULTINOMIAL", "STABLEHLO_RNG_BIT_GENERATOR"})
_QUANTIZED = frozenset({"QUANTIZE", "DEQUANTIZE"})


def float_models(saved_model: str, recipes: Sequence[Recipe], set_to: Settings) -> dict[str, bytes]:
    """What the converter would calibrate by each recipe; equal flags are converted once."""
    converter = tf.lite.TFLiteConverter.from_saved_model(saved_model)
    converter.representative_dataset = _nothing
    by_flags: dict[bytes, bytes] = {}
    models = {}
    for recipe in recipes:
        set_to(converter, recipe)
        arguments = _arguments(converter)
        flags = convert.build_conversion_flags(**arguments).SerializeToString(deterministic=True)
        if flags not in by_flags:
            by_flags[flags] = convert.convert_saved_model(**arguments)
        models[recipe.name] = by_flags[flags]
    return models


def calibrated_model(float_model: bytes, samples: Callable[[], Iterator[Any]]) -> bytes:
    """A float model with the ranges that its activations have on samples."""
    content: bytes = calibrator.Calibrator(calibrator.add_intermediate_tensors(float_model)).calibrate(samples)
    return content


def not_covered(float_model: bytes) -> str:
    """What of a float model makes its files depend on more than one calibration; empty if nothing does.

    The converter runs the samples twice for 16x8, which is once too often for what remembers or rolls dice. A model
    that is quantized already is another matter altogether.
    """
    for operator in read_file(float_model).operators():
        if operator.name in _OF_CHANCE | _QUANTIZED:
            return operator.name
        if any(tensor.variable for tensor in operator.tensors):
            return f"the state of {operator.name}"
    return ""


class FromCalibrated(lite.TFLiteConverterBaseV2):  # type: ignore[misc]
    """The converter, beginning at a calibrated model. It is set as any other, and converts once.

    Args:
        calibrated: what `calibrated_model` gave.
    """

    def __init__(self, calibrated: bytes) -> None:
        lite.TFLiteConverterBase._set_original_model_type(lite.conversion_metadata_fb.ModelType.TF_SAVED_MODEL)
        super().__init__()
        self.saved_model_dir = None
        self.representative_dataset = _nothing
        self._calibrated = calibrated

    @lite._export_metrics  # type: ignore[untyped-decorator]
    def convert(self) -> bytes:
        """The bytes of the file."""
        mode = _mode(self)
        self._validate_inference_input_output_types(mode)
        options = convert.build_conversion_flags(**_arguments(self)).debug_options
        content: bytes = self._optimize_tflite_model(self._calibrated, mode, options, self.experimental_new_quantizer)
        return content

    @override
    def _quantize(
        self,
        result: bytes,
        input_type: Any,
        output_type: Any,
        activations_type: Any,
        bias_type: Any,
        allow_float: bool,
        enable_variable_quantization: bool,
        debug_options: Any,
    ) -> bytes:
        """As the converter's own, without its calibration: the older quantizer is fed no samples, and needs none."""
        if activations_type == tf.int16:
            return calibrator.Calibrator(result).calibrate_and_quantize(  # type: ignore[no-any-return]
                _nothing, input_type, output_type, allow_float, activations_type, bias_type
            )
        return convert.mlir_quantize(  # type: ignore[no-any-return]
            result,
            input_data_type=input_type,
            output_data_type=output_type,
            enable_variable_quantization=enable_variable_quantization,
            debug_options_str=debug_options.SerializeToString(),
        )


def _arguments(converter: Any) -> dict[str, Any]:
    """What the converter tells its native part."""
    variables = {"enable_tflite_resource_variables": converter.experimental_enable_resource_variables}
    return {**variables, **converter._get_base_converter_args(), **_mode(converter).converter_flags()}


def _mode(converter: Any) -> Any:
    return lite.QuantizationMode(
        converter.optimizations,
        converter.target_spec,
        converter.representative_dataset,
        None,
        converter._experimental_disable_per_channel,
        converter.experimental_new_dynamic_range_quantizer,
        converter._experimental_low_bit_qat,
        converter._experimental_full_integer_quantization_bias_type,
        converter._experimental_variable_quantization,
        converter._experimental_strict_qdq,
    )


def _nothing() -> Iterator[Any]:
    return iter(())
