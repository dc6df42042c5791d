"""Looking at a `.tflite` file that somebody brought, before native code opens it."""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path

from litegate.errors import ModelError
from litegate.inspection.tflite import describe_unopened, operators

__all__ = ["check_answers", "check_tflite_file"]

_KEPT = frozenset({"VAR_HANDLE"})
_DRAWN = frozenset({"RANDOM_UNIFORM", "RANDOM_STANDARD_NORMAL", "MULTINOMIAL", "STABLEHLO_RNG_BIT_GENERATOR"})


def check_tflite_file(path: Path, where: str) -> None:
    """Check that a file is whole.

    Args:
        where: the spec key and the URI, for messages.

    Raises:
        ModelError: it is not.
    """
    try:
        describe_unopened(path.read_bytes())
    except ValueError as error:
        raise ModelError(where, "a whole .tflite file", str(error)) from None


def check_answers(content: bytes, where: str) -> None:
    """Check that what a model answers follows from its input alone.

    Raises:
        ModelError: it draws random numbers, or keeps state; the operator is named.
    """
    found: Set[str] = operators(content)
    expected = "a model whose answer follows from its input alone"
    if drawn := sorted(found & _DRAWN):
        raise ModelError(where, expected, f"one that draws random numbers ({', '.join(drawn)})")
    if kept := sorted(found & _KEPT):
        raise ModelError(where, expected, f"one that keeps state from one sample to the next ({', '.join(kept)})")
