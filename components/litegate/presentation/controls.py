"""What the control variate of a verdict was, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from litegate.records import Candidate

__all__ = ["control_of", "controls"]


def control_of(candidate: Candidate) -> str:
    """What ran a file on all samples to narrow the target's bounds; empty where nothing but the host was to do it.

    Returns:
        `vectorized reference arithmetic`, or where that cannot run the file `LiteRT, for vectorized reference
        arithmetic cannot run it: TANH on int16`.
    """
    found = candidate.evaluated.control
    if found is None:
        return ""
    return f"{found.title}, for {found.refused}" if found.refused else found.title


def controls(candidates: Sequence[Candidate]) -> list[str]:
    """A sentence for each control variate.

    Returns:
        For example: `the control variate of int8, uint8 is vectorized reference arithmetic`.
    """
    found: dict[str, list[str]] = {}
    for each in candidates:
        if control := control_of(each):
            found.setdefault(control, []).append(each.artifact.variant)
    return [f"the control variate of {', '.join(variants)} is {control}" for control, variants in found.items()]
