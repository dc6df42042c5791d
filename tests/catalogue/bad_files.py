"""Quantized files that are not what they are called, or die as they are run: what a converter may hand over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.catalogue.row import Make, Place, Row


def _nothing(place: Place) -> Mapping[str, Any]:
    return {}


def _recurrent(place: Place) -> Mapping[str, Any]:
    data = {"uri": str(place.models / "steps.npz"), "format": "npz"}
    model = {"name": "test", "uri": str(place.models / "lstm3.keras")}
    return {"model": model, "calibration": data | {"samples": 100}, "evaluation": data}


def _row(name: str, wrong: str, stage: str, says: str, variant: str, ending: str, make: Make = _nothing) -> Row:
    return Row(f"file-{name}", wrong, stage, says, make, ending, variant)


FILES = (
    _row("garbage", "Bytes that are no model", "inspect", "int8:", "int8", "unreadable"),
    _row("cut", "A file that is cut off", "inspect", "int8:", "int8", "unreadable"),
    _row("still-float", "A float file called int8", "inspect", "the converter gave no int8", "int8", "wrong_scheme"),
    _row(
        "lost-io",
        "A file with float inputs called uint8",
        "inspect",
        "uint8: ...was asked to be uint8",
        "uint8",
        "wrong_io",
    ),
    _row(
        "zero-point",
        "A weight with a zero point",
        "inspect",
        "breaks the 8-bit quantization specification",
        "int8",
        "specification",
    ),
    _row(
        "negative-scale",
        "A negative scale, at which the interpreter aborts",
        "smoke",
        "SIGABRT",
        "int16x8",
        "abort",
        _recurrent,
    ),
)
