"""The quantization variants of the LiteRT documentation, and which target can run which.

Names and settings follow https://ai.google.dev/edge/litert/models/post_training_quantization.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["BASELINE", "CHAMPION", "TARGETS", "VARIANTS", "Target", "Variant"]

BASELINE = "float32"

CHAMPION = "champion"
"""Stands where a variant's name does, for the file that carries the registry's alias today."""


@dataclass(frozen=True)
class Variant:
    """One quantization scheme.

    Attributes:
        name: litegate's fixed name for it, used in files, tags and user interfaces.
        title: the LiteRT documentation's name for it.
        calibrated: whether the converter needs a representative dataset.
        io: type of the model's inputs and outputs.
        ops: `tf.lite.OpsSet` members that the converter may use, by name.
        float16: whether weights are stored as float16.
    """

    name: str
    title: str
    calibrated: bool = False
    io: str = "float32"
    ops: tuple[str, ...] = ("TFLITE_BUILTINS",)
    float16: bool = False


_INT16X8 = "EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8"

VARIANTS = MappingProxyType(
    {
        variant.name: variant
        for variant in (
            Variant(BASELINE, "no quantization (the baseline)"),
            Variant("dynamic_range", "dynamic range quantization"),
            Variant("float16", "float16 quantization", float16=True),
            Variant("int8_float_fallback", "integer with float fallback", calibrated=True),
            Variant("int8", "integer only, int8 input/output", True, "int8", ("TFLITE_BUILTINS_INT8",)),
            Variant("uint8", "integer only, uint8 input/output", True, "uint8", ("TFLITE_BUILTINS_INT8",)),
            Variant("int16x8", "integer only, 16-bit activations with 8-bit weights", True, ops=(_INT16X8,)),
            Variant(
                "int16x8_float_fallback",
                "16-bit activations with 8-bit weights, float fallback",
                True,
                ops=(_INT16X8, "TFLITE_BUILTINS"),
            ),
        )
    }
)


@dataclass(frozen=True)
class Target:
    """Where the model will run.

    Attributes:
        default: the variants that the documentation's decision tree names for it.
        runnable: the variants that it can run at all; only these may be promoted.
    """

    default: tuple[str, ...]
    runnable: frozenset[str]


_INTEGER_ONLY = ("int8", "uint8")
_SIXTEEN_BIT = ("int16x8", "int16x8_float_fallback")
_QUANTIZED = frozenset(VARIANTS) - {BASELINE}

TARGETS = MappingProxyType(
    {
        "cpu": Target(("dynamic_range", "float16", "int8_float_fallback", "int8"), _QUANTIZED),
        "gpu": Target(("float16",), frozenset({"float16"})),
        "edgetpu": Target(_INTEGER_ONLY, frozenset(_INTEGER_ONLY)),
        "microcontroller": Target(_INTEGER_ONLY, frozenset(_INTEGER_ONLY)),
        "high_precision_integer": Target(_SIXTEEN_BIT, frozenset(_SIXTEEN_BIT)),
    }
)
