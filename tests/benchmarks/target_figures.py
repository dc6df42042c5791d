"""What each target's runtime came to when it was first tried, to be measured again.

Once, on an x86-64 host with two cores, with the versions that the lock files name. ResNet-8 on CIFAR-10, and models of
the other tasks of the MLPerf Tiny benchmark.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["NOT_HERE", "SECTIONS", "Figure", "Section", "Value"]

Value = float | str | None


@dataclass(frozen=True)
class Figure:
    """One number or word: of what, which, and what it was; None for what was not known then."""

    of: str
    name: str
    was: Value = None


@dataclass(frozen=True)
class Section:
    """Figures that are measured together."""

    title: str
    figures: tuple[Figure, ...]


def _table(names: tuple[str, ...], rows: Mapping[str, tuple[Value, ...]]) -> tuple[Figure, ...]:
    return tuple(
        Figure(of, name, was)
        for of, values in rows.items()
        for name, was in zip(names, values, strict=True)
        if was is not None
    )


_KERNELS = _table(
    ("top1", "samples_with_another_byte", "classes_that_differ", "largest_difference"),
    {
        "tflite_micro": (0.748, None, None, None),
        "litert_reference": (0.748, 0.036, 0.0, 8),
        "litert optimized, no delegate": (0.751, 0.63, 0.016, 44),
        "litert": (0.747, 0.72, 0.033, 72),
        "float32 on litert": (None, None, 0.038, None),
    },
)
_ARENA = _table(
    ("arena_bytes", "activation_bytes"),
    {
        "resnet8 int8": (55_984, 49_152),
        "resnet8 int16x8": (107_312, None),
        "resnet8 float32": (203_376, None),
        "keyword spotting int8": (24_272, None),
        "visual wake words int8": (103_680, None),
        "anomaly detection int8": (3_984, None),
    },
)
_RUNS = _table(
    ("runs",),
    {
        **dict.fromkeys(("float32", "int8_float_fallback", "int8", "uint8", "int16x8"), ("yes",)),
        "dynamic_range": ("Hybrid models are not supported on TFLite Micro.",),
        "float16": ("DEQUANTIZE",),
    },
)
_VELA = _table(
    ("cpu_operators_percent", "sram_kib", "flash_kib", "estimated_ms"),
    {
        "resnet8 int8": (0.0, 50.6, 77.4, 0.403),
        "keyword spotting int8": (0.0, 21.7, 30.4, 0.180),
        "visual wake words int8": (0.0, 72.7, 74.2, 0.442),
        "resnet8 int8_float_fallback": (4.5, None, None, None),
        "resnet8 int16x8": (6.5, None, None, None),
        "resnet8 float16": (100.0, None, None, None),
        "resnet8 dynamic_range": (100.0, None, None, None),
    },
)
_QUANTIZER = _table(
    ("top1", "bytes"),
    {
        "dynamic_range": (0.746, None),
        "weight_only_int8": (0.743, None),
        "int8": (0.745, None),
        "int16x8": (0.750, None),
        "int4": (0.459, 51_608),
        "int4_octav": (0.566, None),
    },
)
_GPU = (
    Figure("resnet8 float16, in float16", "largest_difference", 0.017),
    Figure("resnet8 float32, in float16", "largest_difference"),
    Figure("resnet8 float32, in float32", "largest_difference", 2e-6),
    Figure("resnet8 float16, in float16", "every_output_is_a_float16"),
    Figure("resnet8 float32, in float32", "every_output_is_a_float16"),
    Figure("resnet8 float16, in float16", "invoke_ms", 150),
    Figure("a file of which all runs there", "is_fully_accelerated", "True"),
    Figure("a file with an operator that the GPU lacks, beside a CPU", "is_fully_accelerated"),
    Figure("a file with an operator that the GPU lacks, alone", "refused"),
)

SECTIONS: Mapping[str, Section] = MappingProxyType(
    {
        "kernels": Section(
            "ResNet-8 int8, 1,000 images (not the same as then), against TensorFlow Lite Micro", _KERNELS
        ),
        "arena": Section("the arena of TensorFlow Lite Micro", _ARENA),
        "runs": Section("what TensorFlow Lite Micro runs of the variants of ResNet-8", _RUNS),
        "vela": Section("Vela's tables for ethos-u55-128; flash follows the weights, times are estimates", _VELA),
        "gpu": Section("LiteRT's GPU accelerator against XNNPACK, 20 images", _GPU),
        "quantizer": Section("ResNet-8 by LiteRT's own quantizer, on XNNPACK, 1,000 images", _QUANTIZER),
    }
)

NOT_HERE: Mapping[str, str] = MappingProxyType(
    {
        "LiteRT on a 64-bit Arm processor: 2 of 300 samples differed from x86, by one level": "needs such a processor, "
        "or qemu-user and Python for it",
        "GPTQ by LiteRT's quantizer: 0.707, and 316,144 bytes: hardly anything was quantized": "no variant uses it",
    }
)
"""What was tried then and is not tried by this benchmark, with the reason."""
