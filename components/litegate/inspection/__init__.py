"""What a .tflite file is, read from its bytes and never believed: scheme, operators, weights, specification."""

from __future__ import annotations

from litegate.inspection.calibrator import calibrator_problem
from litegate.inspection.flatbuffer import File, Operator, read_file
from litegate.inspection.layers import layer_of, layers_of
from litegate.inspection.ranges import input_ranges
from litegate.inspection.report import inspect_file
from litegate.inspection.scheme import count, io_mismatch, mismatch, not_a_baseline

__all__ = [
    "File",
    "Operator",
    "calibrator_problem",
    "count",
    "input_ranges",
    "inspect_file",
    "io_mismatch",
    "layer_of",
    "layers_of",
    "mismatch",
    "not_a_baseline",
    "read_file",
]
