"""The quantization variants, which engine makes which, and which target can run which.

Names and settings of the first eight follow https://ai.google.dev/edge/litert/models/post_training_quantization; the
others are LiteRT's own quantizer's. Where two engines make one variant, the file of the second goes by
`<variant>.<engine>`. Any other name is that of a file that was given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

__all__ = [
    "ARITHMETIC",
    "BASELINE",
    "CHAMPION",
    "DEVICE",
    "DOCUMENTED",
    "ETHOS_U",
    "FINE_TUNED",
    "FINE_TUNING",
    "GIVEN",
    "HOST",
    "LITERT_QUANTIZER",
    "MADE_BY",
    "RECOVERED",
    "RECOVERIES",
    "RECOVERY",
    "TARGETS",
    "TF_CONVERTER",
    "VARIANTS",
    "Recipe",
    "Target",
    "Variant",
    "Weights",
    "in_order",
    "makers",
    "may_run",
    "usual_engine",
    "variant_of",
]

BASELINE = "float32"

CHAMPION = "champion"
"""Stands where a variant's name does, for the file that carries the registry's alias today."""


TF_CONVERTER, LITERT_QUANTIZER = "tf_converter", "litert_quantizer"

HOST = "litert"
"""The runtime of the host that evaluates, by its name in `litegate.runtimes`."""

ARITHMETIC = "litert_arithmetic"
"""The runtime that computes on the host what a microcontroller computes."""

DEVICE = "device:"
"""What the name of a real device's runtime begins with; the device's own name follows."""

GIVEN = "given"
"""Stands where an engine's name does, for a finished file."""

RECOVERED, RECOVERY = "recovered", "recovery"
"""The file in which single operators have a precision of their own, and what stands where its engine's name does."""

FINE_TUNED, FINE_TUNING = "fine_tuned", "fine_tuning"
"""The file of the model that was trained on for quantization, and what stands where its engine's name does."""

RECOVERIES = (RECOVERED, FINE_TUNED)
"""Names of files that are made only where others did not pass, in the order of their turns."""


@dataclass(frozen=True)
class Weights:
    """How LiteRT's own quantizer is to store weights, where the name of the variant does not say it.

    Attributes:
        bits: of a weight.
        computed: `integer` (activations are quantized as they come) or `float` (weights are dequantized first).
        block: weights that share a scale; 0 for one scale a channel.
        algorithm: how scales are found, by the quantizer's own name.
    """

    bits: int
    computed: Literal["integer", "float"]
    block: Literal[0, 32] = 0
    algorithm: str = "min_max_uniform_quantize"


@dataclass(frozen=True)
class Recipe:
    """How an engine is to quantize: nothing but data.

    Attributes:
        name: what it is called in messages; that of its variant.
        calibrated: whether the engine needs a representative dataset.
        io: type of the model's inputs and outputs.
        ops: `tf.lite.OpsSet` members that the file may use, by name.
        float16: whether weights are stored as float16.
        weights: how they are stored, for a variant that is LiteRT's own quantizer's alone.
        rules: in its own form, for a recipe that was given as a file; all else is then theirs to say.
    """

    name: str
    calibrated: bool = False
    io: str = "float32"
    ops: tuple[str, ...] = ("TFLITE_BUILTINS",)
    float16: bool = False
    weights: Weights | None = None
    rules: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Variant:
    """One quantization scheme, or a file that was given.

    Attributes:
        name: litegate's fixed name for it, used in files, tags and user interfaces.
        title: the LiteRT documentation's name for it.
        recipe: what the engine is told; None for a file that was given, and for one that is searched or trained
            for.
    """

    name: str
    title: str
    recipe: Recipe | None

    @property
    def calibrated(self) -> bool:
        """Whether its engine needs a representative dataset."""
        return self.name in _MADE or (self.recipe is not None and self.recipe.calibrated)


_INT16X8 = "EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8"
_INTEGERS = ("TFLITE_BUILTINS_INT8",)
_IN_BLOCKS, _OCTAV = Weights(4, "integer", block=32), Weights(4, "integer", algorithm="OCTAV")


def _by_name(*rows: tuple[str, Recipe]) -> dict[str, Variant]:
    return {recipe.name: Variant(recipe.name, title, recipe) for title, recipe in rows}


DOCUMENTED: Mapping[str, Variant] = MappingProxyType(
    _by_name(
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
)
"""Those of LiteRT's documentation, and the baseline."""

_OF_THE_LITERT_QUANTIZER = _by_name(
    (
        "integer only, 16-bit activations with 8-bit weights, int16 input/output",
        Recipe("int16x8_integer_io", True, "int16", (_INT16X8,)),
    ),
    ("8-bit weights, computed in float", Recipe("weight_only_int8", weights=Weights(8, "float"))),
    ("4-bit weights, computed in float", Recipe("weight_only_int4", weights=Weights(4, "float"))),
    ("dynamic range with 4-bit weights", Recipe("int4", weights=Weights(4, "integer"))),
    ("dynamic range with 4-bit weights, scales by OCTAV", Recipe("int4_octav", weights=_OCTAV)),
    ("dynamic range with 4-bit weights in blocks of 32", Recipe("int4_blockwise_32", weights=_IN_BLOCKS)),
)

VARIANTS: Mapping[str, Variant] = MappingProxyType({**DOCUMENTED, **_OF_THE_LITERT_QUANTIZER})

MADE_BY: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        TF_CONVERTER: frozenset(DOCUMENTED) - {BASELINE},
        LITERT_QUANTIZER: frozenset(("dynamic_range", "int8_float_fallback", "int8", "int16x8"))
        | frozenset(_OF_THE_LITERT_QUANTIZER),
    }
)
"""The variants that each engine can make."""

_MADE: Mapping[str, Variant] = MappingProxyType(
    {
        RECOVERED: Variant(RECOVERED, "8 bits, with single operators in another precision", None),
        FINE_TUNED: Variant(FINE_TUNED, "8 bits, by quantization-aware training", None),
    }
)
"""Files that no recipe makes, but a search or a training."""


def variant_of(name: str) -> Variant:
    """The variant behind the name of a file: its own, that of a second engine, or a file that was given or found."""
    if name in _MADE:
        return _MADE[name]
    base, _, engine = name.rpartition(".")
    known = VARIANTS.get(base if engine in MADE_BY else name)
    return known or Variant(name, "a file that was given", None)


def in_order(names: Iterable[str]) -> list[str]:
    """Names as litegate lists them: variants in the order above, and then files that were given."""
    places = {name: place for place, name in enumerate(VARIANTS)}
    return sorted(names, key=lambda name: (places.get(variant_of(name).name, len(places)), name))


def makers(variants: Iterable[str], engines: Iterable[str]) -> dict[str, str]:
    """The engine of each file that is made, by the file's name; variants that no engine makes have none."""
    engines, found = tuple(engines), dict[str, str]()
    for name in variants:
        able = [engine for engine in engines if name in MADE_BY[engine]]
        found |= {name if not place else f"{name}.{engine}": engine for place, engine in enumerate(able)}
    return found


@dataclass(frozen=True)
class Target:
    """Where the model will run.

    Attributes:
        default: the variants that the documentation's decision tree names for it.
        runnable: the variants that it can run at all; only these may be promoted.
        runtime: which of `litegate.runtimes` its files are run on, so that its word counts.
        control: which of them is the control variate, where the target sees a part of the samples and a file can be
            run by it; else it is the host's.
        arena: whether they run there in an arena of fixed size.
        fixed_batch: whether the size of every tensor must be known, so that models of any batch are converted for one.
        integers: whether it computes on integers alone.
        accelerator: the configuration that its compiler places operators for; empty for a target without one.
    """

    default: tuple[str, ...]
    runnable: frozenset[str]
    runtime: str = HOST
    control: str = HOST
    arena: bool = False
    fixed_batch: bool = False
    integers: bool = False
    accelerator: str = ""

    @property
    def firmware(self) -> bool:
        """Whether the file is linked into firmware, as C source."""
        return self.arena or bool(self.accelerator)


_INTEGER_ONLY = ("int8", "uint8")
_SIXTEEN_BIT = ("int16x8", "int16x8_float_fallback")
_QUANTIZED = frozenset(VARIANTS) - {BASELINE}
_INT16X8_ONLY = ("int16x8", "int16x8_integer_io")
_ON_A_MICROCONTROLLER = frozenset((*_INTEGER_ONLY, *_INT16X8_ONLY))

ETHOS_U: tuple[str, ...] = tuple(
    f"ethos-u{family}-{macs}"
    for family, sizes in ((55, (32, 64, 128, 256)), (65, (256, 512)), (85, (128, 256, 512, 1024, 2048)))
    for macs in sizes
)
"""Arm's accelerators, by the names of Vela's configurations: the family, and multiply-accumulates a cycle."""


def _ethos_u(accelerator: str) -> Target:
    runnable, runtime = _ON_A_MICROCONTROLLER, "ethos_u"
    return Target(
        _INTEGER_ONLY, runnable, runtime, ARITHMETIC, fixed_batch=True, integers=True, accelerator=accelerator
    )


TARGETS: Mapping[str, Target] = MappingProxyType(
    {
        "cpu": Target(("dynamic_range", "float16", "int8_float_fallback", "int8"), _QUANTIZED),
        "gpu": Target(("float16",), frozenset({"float16"}), "gpu", fixed_batch=True),
        "edgetpu": Target(_INTEGER_ONLY, frozenset(_INTEGER_ONLY), fixed_batch=True, integers=True),
        "microcontroller": Target(
            _INTEGER_ONLY, _ON_A_MICROCONTROLLER, "tflite_micro", ARITHMETIC, arena=True, integers=True
        ),
        **{name: _ethos_u(name) for name in ETHOS_U},
        "high_precision_integer": Target(_SIXTEEN_BIT, frozenset((*_SIXTEEN_BIT, *_INT16X8_ONLY))),
    }
)


def may_run(target: str, name: str) -> bool:
    """Whether a target can run files of this name; of one that was given its bytes tell, and not its name."""
    variant = variant_of(name)
    return variant.recipe is None or variant.name in TARGETS[target].runnable


def usual_engine(model: str) -> str:
    """The engine for a model at an address, where nobody names one: that which can begin with such a file."""
    return LITERT_QUANTIZER if model.endswith(".tflite") else TF_CONVERTER
