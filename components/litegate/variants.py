"""The quantization variants of the LiteRT documentation, who makes them, and which target can run which.

Names and settings follow https://ai.google.dev/edge/litert/models/post_training_quantization.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

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
        calibrated: whether its engine needs a representative dataset.
        io: type of the model's inputs and outputs.
        float16: whether weights are stored as float16.
        integer_only: whether no operator may compute in float.
        engine: which of `litegate.engines` makes it.
        environment: which Python the engine needs for it, by its name in the settings.
        recipe: the engine's settings; only the engine knows what they mean.
    """

    name: str
    title: str
    calibrated: bool = False
    io: str = "float32"
    float16: bool = False
    integer_only: bool = False
    engine: str = "tf_converter"
    environment: str = "tensorflow"
    recipe: Mapping[str, Any] = field(default_factory=dict)


def _of_tf_converter(name: str, title: str, ops: tuple[str, ...] = ("TFLITE_BUILTINS",), **facts: Any) -> Variant:
    """A variant that `TFLiteConverter` makes with these members of `tf.lite.OpsSet`."""
    variant = Variant(name, title, integer_only="TFLITE_BUILTINS" not in ops, **facts)
    recipe: dict[str, Any] = {"supported_ops": ops, "io": variant.io}
    types = {"supported_types": ("float16",)} if variant.float16 else {}
    return replace(variant, recipe=MappingProxyType(recipe | types))


_INT8 = ("TFLITE_BUILTINS_INT8",)
_INT16X8 = "EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8"

VARIANTS = MappingProxyType(
    {
        variant.name: variant
        for variant in (
            Variant(BASELINE, "no quantization (the baseline)"),
            _of_tf_converter("dynamic_range", "dynamic range quantization"),
            _of_tf_converter("float16", "float16 quantization", float16=True),
            _of_tf_converter("int8_float_fallback", "integer with float fallback", calibrated=True),
            _of_tf_converter("int8", "integer only, int8 input/output", _INT8, calibrated=True, io="int8"),
            _of_tf_converter("uint8", "integer only, uint8 input/output", _INT8, calibrated=True, io="uint8"),
            _of_tf_converter(
                "int16x8", "integer only, 16-bit activations with 8-bit weights", (_INT16X8,), calibrated=True
            ),
            _of_tf_converter(
                "int16x8_float_fallback",
                "16-bit activations with 8-bit weights, float fallback",
                (_INT16X8, "TFLITE_BUILTINS"),
                calibrated=True,
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
        runtime: which of `litegate.runtimes` its files are run on, so that its word counts.
    """

    default: tuple[str, ...]
    runnable: frozenset[str]
    runtime: str = "litert"


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
