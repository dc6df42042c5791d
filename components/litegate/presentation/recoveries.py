"""How the file `recovered` came to be, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from litegate.records import Assessment, OperatorPrecision, Recovery, Tuned

__all__ = ["ended", "gained", "named", "not_made", "recovered", "share"]

_MOST = 4
_AS_IT_WAS = "as it was"
_ENDED: Final = {
    "done": "nothing more was to be gained",
    "steps": "max_steps was reached",
    "time": "the time was over, so another host, or a busier one, may come to another file",
    "nothing_helps": "nothing that could be tried helped any more",
}


def not_made(assessments: Sequence[Assessment]) -> tuple[str, ...]:
    """Which files were not made, and why: `recovered was not made: int8 passed`."""
    return tuple(f"{each.variant} was not made: {each.why}" for each in assessments if not each.needed)


def recovered(found: Recovery) -> str:
    """What was changed, what that cost and what it brought.

    Returns:
        For example: `float32 for CONV_2D #1 of main (c2), MAX_POOL_2D #2 of main; 9,672 bytes more than
        int8_float_fallback; on 50 tuning samples 0.2 % in place of 90 % are predicted otherwise than by float32, at
        most 1 % asked for`.
    """
    missed, gain = "" if found.met else ", which was not reached", gained(found.untouched, found.after)
    parts = (
        *_equalized(found),
        *(f"{precision} for {named(operators)}" for precision, operators in _by_precision(found.precisions)),
        *_corrected(found),
        _size(found),
        f"on {found.tuning_samples:,} tuning samples {gain}, at most {share(found.limit)} asked for{missed}",
    )
    return "; ".join(parts)


def _equalized(found: Recovery) -> Iterator[str]:
    """`channels equalized between 2 pairs of layers, which took the loss of int8 from 90 % to 0.2 %`."""
    if found.equalization is not None:
        pairs = f"{found.equalization.pairs} pair{'s' * (found.equalization.pairs != 1)}"
        took = _took(f" of {found.base}", found.equalization.before, found.before)
        yield f"channels equalized between {pairs} of layers, {took}"


def _corrected(found: Recovery) -> Iterator[str]:
    """`biases of 6 layers corrected, which took the loss from 0.9 % to 0.2 %`."""
    if found.correction is not None:
        layers = f"{found.correction.layers} layer{'s' * (found.correction.layers != 1)}"
        yield f"biases of {layers} corrected, {_took('', found.correction.before, found.after)}"


def _took(of: str, before: Tuned, after: Tuned) -> str:
    """By the error where the loss is the same: a share of few samples hardly moves."""
    what, ends = "loss", (before.loss, after.loss)
    if before.loss == after.loss:
        what, ends = "error", (before.error, after.error)
    return f"which took the {what}{of} from {share(ends[0])} to {share(ends[1])}"


def _size(found: Recovery) -> str:
    if not found.precisions:
        return f"all else as in {found.base}" if found.made_from else f"nothing was changed of {found.base}"
    grown = found.after.bytes - found.before.bytes
    return f"{abs(grown):,} bytes {'less' if grown < 0 else 'more'} than {found.base}"


def named(operators: Sequence[OperatorPrecision]) -> str:
    """Operators with their layers; of many the first."""
    names = [f"{each.operator} ({each.layer})" if each.layer else each.operator for each in operators]
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return ", ".join(names[:_MOST]) + more


def ended(found: Recovery) -> str:
    """Why the search ended."""
    return _ENDED[found.ended]


def share(value: float) -> str:
    """A share in percent."""
    return f"{100 * value:.3g} %"


def _by_precision(operators: Sequence[OperatorPrecision]) -> list[tuple[str, list[OperatorPrecision]]]:
    kinds = dict.fromkeys(each.precision or _AS_IT_WAS for each in operators)
    return [(kind, [each for each in operators if (each.precision or _AS_IT_WAS) == kind]) for kind in kinds]


def gained(before: Tuned, after: Tuned) -> str:
    """`0.2 % in place of 90 % are predicted otherwise than by float32`."""
    now, then = share(after.loss), share(before.loss)
    if after.disagreement is not None:
        return f"{now} in place of {then} are predicted otherwise than by float32"
    return f"the outputs are off by {now} in place of {then}"
