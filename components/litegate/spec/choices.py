"""What a spec may choose from, and what records have in common with it."""

from __future__ import annotations

from typing import Literal

__all__ = ["MIN_SAMPLES", "EngineName", "EvaluationCode", "Format", "GateCode", "LintCode", "TargetName"]

MIN_SAMPLES = 30
"""So few samples say nothing about a mean whose distribution is not known."""

Format = Literal["csv", "images", "npy", "npz", "parquet", "tfrecord", "webdataset"]

LintCode = Literal["clipped", "constant", "leakage", "outliers", "scale", "shift", "too_few"]
"""Errors of the calibration lint that a spec may allow."""


EvaluationCode = Literal[
    "chance", "classes", "constant_metric", "label_dependent", "near_leakage", "one_class", "random_preprocess"
]
"""Errors of the evaluation lint that a spec may allow."""

GateCode = Literal["dead_output"]
"""What fails a variant whatever it scored, and a spec may allow."""

EngineName = Literal["tf_converter", "litert_quantizer"]
"""What makes variants, by its name in `litegate.engines`."""

TargetName = Literal[
    "cpu",
    "gpu",
    "edgetpu",
    "microcontroller",
    "ethos-u55-32",
    "ethos-u55-64",
    "ethos-u55-128",
    "ethos-u55-256",
    "ethos-u65-256",
    "ethos-u65-512",
    "ethos-u85-128",
    "ethos-u85-256",
    "ethos-u85-512",
    "ethos-u85-1024",
    "ethos-u85-2048",
    "high_precision_integer",
]
"""Where a model will run: the names of `litegate.variants.TARGETS`."""
