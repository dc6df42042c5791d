"""Which models must not be thrown at the converter's calibrator: it dies on them, and takes its process along.

TensorFlow 2.21 calibrates a WHILE by reading tensors that the loop has freed
(https://github.com/tensorflow/tensorflow/issues/75140); hash tables end the same way, and what is not built in,
such as TensorFlow's own operators (Flex), it cannot run.
"""

from __future__ import annotations

from collections import Counter

from litegate.inspection.flatbuffer import File

__all__ = ["calibrator_problem"]

_KINDS = {
    "WHILE": "loops",
    "IF": "branches",
    "CALL": "calls",
    "CALL_ONCE": "initializers",
    "STABLEHLO_WHILE": "loops",
    "HASHTABLE": "hash tables",
    "HASHTABLE_FIND": "hash tables",
    "HASHTABLE_IMPORT": "hash tables",
    "HASHTABLE_SIZE": "hash tables",
    "VAR_HANDLE": "variables",
    "READ_VARIABLE": "variables",
    "ASSIGN_VARIABLE": "variables",
}
_RUNNABLE = {"TFLite_Detection_PostProcess"}
"""The one custom operator that LiteRT's interpreter brings along."""


def calibrator_problem(file: File) -> str | None:
    """Why a float32 file cannot be calibrated, with the operators in question; None if it can."""
    found: Counter[str] = Counter()
    for operator in file.operators():
        if operator.name in _KINDS:
            found[f"{operator.name} ({_KINDS[operator.name]})"] += 1
        elif operator.custom and operator.name not in _RUNNABLE:
            found[f"{operator.name} (not built in)"] += 1
    if not found:
        return None
    names = ", ".join(f"{name}: {count}" for name, count in sorted(found.items()))
    return f"the calibrator of TensorFlow cannot run this model, because of {names}; use dynamic_range or float16"
