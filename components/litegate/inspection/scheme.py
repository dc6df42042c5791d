"""Which quantization scheme a file has, whatever it is called, and whether that is what was asked for.

The converter does not always give what it is asked for: `TFLITE_BUILTINS_INT8` does not forbid float operators,
calibration with no data leaves everything float, 16x8 without data is dynamic range, and nothing says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from litegate.inspection.buffers import bytes_of, float_weights, taken_constants
from litegate.inspection.computing import FLOATS, computes, width
from litegate.inspection.flatbuffer import File, Operator
from litegate.inspection.layers import layers_of
from litegate.records import Computing, Signature
from litegate.variants import Variant, Weights

__all__ = ["Counts", "count", "io_mismatch", "mismatch", "not_a_baseline", "scheme_of"]

_ROUNDING = ("QUANTIZE", "FAKE_QUANT")
_MOST_WEIGHTS = 0.5


@dataclass(frozen=True)
class Counts:
    """What tells one scheme from another.

    Attributes:
        real, hybrid: names of the operators that compute on floats, and on floats with integer weights.
        integer: operators on integers, by the type that they compute in.
        half_weights, quantized_weights: how many constants that operators take are float16, or integers that stand for
            real values.
        large_weights: bytes of the float32 constants that dynamic range quantization would not find too small, by the
            operator that takes them.
        rounding: operators that round to quantized values: `QUANTIZE`, or a `FAKE_QUANT` that simulates it.
        layers: those of the operators in `real` and `hybrid`, by their names, and of those that round, as `rounding`;
            as far as the file tells.
        stored: values of the constants of two and more dimensions that operators take, by type.
    """

    real: Mapping[str, int]
    hybrid: Mapping[str, int]
    integer: Mapping[str, int]
    half_weights: int = 0
    quantized_weights: int = 0
    large_weights: Mapping[str, int] = field(default_factory=dict)
    rounding: int = 0
    layers: Mapping[str, str] = field(default_factory=dict)
    stored: Mapping[str, int] = field(default_factory=dict)


def count(file: File) -> Counts:
    """Count over all graphs of a file."""
    names: dict[Computing, Counter[str]] = {"float": Counter(), "hybrid": Counter(), "integer": Counter()}
    placed: dict[str, list[Operator]] = {}
    for operator in file.operators():
        how = computes(operator)
        if how != "conversion":
            names[how][width(operator) if how == "integer" else operator.name] += 1
        if how in ("float", "hybrid"):
            placed.setdefault(operator.name, []).append(operator)
        if operator.name in _ROUNDING:
            placed.setdefault("rounding", []).append(operator)
    constants = list(taken_constants(file))
    stored: Counter[str] = Counter()
    for tensor in constants:
        if len(tensor.shape) > 1 and (tensor.stands_for_reals or tensor.type in FLOATS):
            stored[tensor.type] += tensor.elements
    return Counts(
        real=names["float"],
        hybrid=names["hybrid"],
        integer=names["integer"],
        half_weights=sum(tensor.type == "float16" for tensor in constants),
        quantized_weights=sum(tensor.stands_for_reals for tensor in constants),
        stored=stored,
        large_weights={name: bytes_of(tensors) for name, tensors in float_weights(file).items()},
        rounding=len(placed.get("rounding", ())),
        layers={name: layers_of(each) for name, each in placed.items()},
    )


def scheme_of(counts: Counts) -> str:
    """`float32`, `float16`, `dynamic_range`, `weight_only`, `int8`, `int16x8`, or `mixed`."""
    widths = {name for name, number in counts.integer.items() if number and name != "int32"}
    in_float = bool(counts.real or counts.hybrid)
    if len(widths) > 1 or (widths and in_float):
        return "mixed"
    if widths:
        return "int16x8" if widths == {"int16"} else "int8"
    found = [bool(counts.hybrid), bool(counts.half_weights), bool(counts.quantized_weights and not counts.hybrid)]
    if sum(found) > 1:
        return "mixed"
    return ("dynamic_range", "float16", "weight_only")[found.index(True)] if any(found) else "float32"


def mismatch(counts: Counts, variant: Variant) -> str | None:
    """Why a file is not the variant that was asked for, or None."""
    recipe = variant.recipe
    if recipe is None:
        return None  # a file that was given is called nothing
    if recipe.weights is not None:
        return _weights_mismatch(counts, recipe.weights)
    if recipe.float16:
        return None if counts.half_weights else "none of its weights is float16"
    if not recipe.calibrated:
        kept = ", ".join(f"{name} kept {size:,} bytes" for name, size in counts.large_weights.items())
        stayed = f"none of its weights is quantized, though they are large enough: {kept} in float32"
        return stayed if counts.large_weights and not counts.hybrid else None
    wanted = "int16" if variant.name.startswith("int16x8") else "int8"
    if not counts.integer.get(wanted):
        return f"none of its operators computes in {wanted}"
    if "TFLITE_BUILTINS" not in recipe.ops and (counts.real or counts.hybrid):
        found = Counter(counts.real) + Counter(counts.hybrid)
        named = (
            (name, ", ".join(filter(None, (str(number), counts.layers.get(name))))) for name, number in found.items()
        )
        names = ", ".join(f"{name} ({where})" for name, where in sorted(named))
        return f"operators that compute in float: {names}; it is not integer only"
    return None


def _weights_mismatch(counts: Counts, weights: Weights) -> str | None:
    """A quantizer that leaves what it cannot quantize in float, without a word, may leave nearly everything."""
    kind, values = f"int{weights.bits}", sum(counts.stored.values())
    share = counts.stored.get(kind, 0) / values if values else 0.0
    if share < _MOST_WEIGHTS:
        kept = ", ".join(f"{name} kept {size:,} bytes in float32" for name, size in counts.large_weights.items())
        return f"{share:.0%} of its weights are {kind}, at least half are asked for{f': {kept}' if kept else ''}"
    if weights.computed == "integer" and not counts.hybrid:
        return f"none of its operators computes on {kind} weights"
    if weights.computed == "float" and counts.hybrid:
        return f"operators compute on integer weights: {', '.join(counts.hybrid)}"
    return None


def not_a_baseline(counts: Counts) -> str | None:
    """Why variants cannot be measured against this file, or None: it has lost something to quantization already."""
    if counts.quantized_weights:
        return f"{counts.quantized_weights} quantized weights"
    if counts.rounding:
        where = f" ({counts.layers['rounding']})" if counts.layers.get("rounding") else ""
        said = f"{counts.rounding} operators that round to quantized values{where}"
        return f"{said}, as quantization-aware training leaves them"
    if any(number for name, number in counts.integer.items() if name != "int32"):
        return "operators that compute on quantized values"
    if counts.half_weights:
        return f"{counts.half_weights} float16 weights"
    return None


def io_mismatch(signatures: Mapping[str, Signature], baseline: Mapping[str, Signature], variant: Variant) -> str | None:
    """What is wrong with inputs and outputs, or None: the baseline's names, with float ones of the type asked for.

    Those of a file that was given may have any type that LiteRT quantizes floats to.
    """
    for key, before in baseline.items():
        after = signatures.get(key)
        if after is None or set(after.inputs) != set(before.inputs) or set(after.outputs) != set(before.outputs):
            return f"signature {key} lost inputs or outputs"
        pairs = [(before.inputs[name], spec, name) for name, spec in after.inputs.items()]
        pairs += [(before.outputs[name], spec, name) for name, spec in after.outputs.items()]
        for was, now, name in pairs:
            expected = _types_of(was.dtype, variant)
            if now.dtype not in expected:
                return f"{key}/{name} was asked to be {' or '.join(expected)} and is {now.dtype}"
    return None


def _types_of(baseline: str, variant: Variant) -> tuple[str, ...]:
    """Those that stand for a tensor of the baseline."""
    if baseline != "float32":
        return (baseline,)
    return ("float32", "int8", "uint8", "int16") if variant.recipe is None else (variant.recipe.io,)
