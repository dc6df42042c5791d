"""The ranking of a base file's operators, as its record has it."""

from __future__ import annotations

from litegate.engines.engine import Refused
from litegate.failures import FailureKind
from litegate.records import OperatorSensitivity, Tuned
from litegate.recovery.combinations import Combinations, OutOfTime
from litegate.recovery.network import Network
from litegate.recovery.search import lifted
from litegate.recovery.sensitivity import Noise, Sensitivity, ranks

__all__ = ["ranking_of"]

_RANKED, _MEASURED = 20, 6
"""Operators of the ranking, and those of them that are measured in float32."""


def ranking_of(
    combinations: Combinations, sensitivity: Sensitivity, network: Network
) -> tuple[OperatorSensitivity, ...]:
    """The operators of the base file that add most noise; the worst of them with what float32 does for them.

    Raises:
        Refused: the base file runs with XNNPACK alone, which keeps no tensors.
    """
    noise = _noise(sensitivity, combinations)
    return tuple(
        OperatorSensitivity(
            operator=network.nodes[number].place,
            layer=network.nodes[number].layer,
            error=noise[number].error,
            snr_db=noise[number].snr_db,
            added=noise[number].added,
            **(_in_float(combinations, network, number) if place < _MEASURED else {}),
        )
        for place, number in enumerate(ranks(noise)[:_RANKED])
    )


def _noise(sensitivity: Sensitivity, combinations: Combinations) -> dict[int, Noise]:
    """Where the base file adds noise.

    Raises:
        Refused: it runs with XNNPACK alone, which keeps no tensors.
    """
    try:
        return sensitivity.noise(combinations.content({}))
    except (RuntimeError, ValueError) as error:
        said = f"the operators of the base of recovered cannot be run: {' '.join(str(error).split())[:300]}"
        raise Refused(FailureKind.NOT_RUNNABLE, said) from error


def _in_float(combinations: Combinations, network: Network, number: int) -> dict[str, Tuned | None]:
    """An operator alone in float32, and with those around it: on a target without floats this is for people alone."""
    try:
        alone, *around = (
            combinations.measure(lifted(region, "float32", {}, combinations)) for region in network.regions(number)
        )
    except OutOfTime:
        return {}
    known = [each for each in around if each is not None]
    best = min(known, key=lambda each: (each.loss, each.error, each.bytes), default=None)
    return {"in_float": alone, "around": best}
