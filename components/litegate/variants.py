"""The quantization variants of the LiteRT documentation, and which target can run which.

Names and settings follow https://ai.google.dev/edge/litert/models/post_training_quantization.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["BASELINE", "CHAMPION", "TARGETS", "VARIANTS", "Recipe", "Target", "Variant"]

BASELINE = "float32"

CHAMPION = "champion"
"""Stands where a variant's name does, for the file that carries the registry's alias today."""


@dataclass(frozen=True)
class Recipe:
    """How an engine is to quantize: nothing but data.

    Attributes:
        name: what it is called in messages; that of its variant.
        calibrated: whether the engine needs a representative dataset.
        io: type of the model's inputs and outputs.
        ops: `tf.lite.OpsSet` members that the file may use, by name.
        float16: whether weights are stored as float16.
    """

    name: str
    calibrated: bool = False
    io: str = "float32"
    ops: tuple[str, ...] = ("TFLITE_BUILTINS",)
    float16: bool = False


@dataclass(frozen=True)
class Variant:
    """One quantization scheme.

    Attributes:
        name: litegate's fixed name for it, used in files, tags and user interfaces.
        title: the LiteRT documentation's name for it.
        recipe: what the engine is told.
        engine: which one makes it, by its name in `litegate.engines`, which also says in which environment.
    """

    name: str
    title: str
    recipe: Recipe
    engine: str = "tf_converter"


_INT16X8 = "EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8"
_INTEGERS = ("TFLITE_BUILTINS_INT8",)

VARIANTS = MappingProxyType(
    {
        recipe.name: Variant(recipe.name, title, recipe)
        for title, recipe in (
            ("no quantization (the baseline)", Recipe(BASELINE)),
            ("dynamic range quantization", Recipe("dynamic_range")),
            ("float16 quantization", Recipe("float16", float16=True)),
            ("integer with float fallback", Recipe("int8_float_fallback", calibrated=True)),
            ("integer only, int8 input/output", Recipe("int8", True, "int8", _INTEGERS)),
            ("integer only, uint8 input/output", Recipe("uint8", True, "uint8", _INTEGERS)),
            ("integer only, 16-bit activations with 8-bit weights", Recipe("int16x8", True, ops=(_INT16X8,))),
            (
                "16-bit activations with 8-bit weights, float fallback",
                Recipe("int16x8_float_fallback", True, ops=(_INT16X8, "TFLITE_BUILTINS")),
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
        arena: whether they run there in an arena of fixed size.
        fixed_batch: whether the size of every tensor must be known, so that models of any batch are converted for one.
    """

    default: tuple[str, ...]
    runnable: frozenset[str]
    runtime: str = "litert"
    arena: bool = False
    fixed_batch: bool = False


_INTEGER_ONLY = ("int8", "uint8")
_SIXTEEN_BIT = ("int16x8", "int16x8_float_fallback")
_QUANTIZED = frozenset(VARIANTS) - {BASELINE}

TARGETS = MappingProxyType(
    {
        "cpu": Target(("dynamic_range", "float16", "int8_float_fallback", "int8"), _QUANTIZED),
        "gpu": Target(("float16",), frozenset({"float16"}), "gpu", fixed_batch=True),
        "edgetpu": Target(_INTEGER_ONLY, frozenset(_INTEGER_ONLY)),
        "microcontroller": Target(_INTEGER_ONLY, frozenset((*_INTEGER_ONLY, "int16x8")), "tflite_micro", arena=True),
        "high_precision_integer": Target(_SIXTEEN_BIT, frozenset(_SIXTEEN_BIT)),
    }
)
