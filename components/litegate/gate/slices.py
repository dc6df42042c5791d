"""The class clause for any field of the data: no slice, which is all samples with one value of a field, may lose more.

A variant passes only if every slice with samples enough is proved to be within the limit, which needs no correction for
their number (see `litegate.gate.clauses`). That single slices are beyond it is said by Holm's procedure over all slices
of all fields, so that the chance that any is blamed without reason is at most 1 - confidence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import numpy as np

from litegate.gate.bootstrap import Undefined
from litegate.gate.clauses import Claim, Nothing
from litegate.gate.contrasts import Comparison
from litegate.gate.evidence import Evidence
from litegate.gate.multiplicity import holm
from litegate.records import SliceLoss
from litegate.spec import Gate

__all__ = ["SLICE_CLAUSE", "slice_claim", "slice_losses"]

Array = np.ndarray[Any, np.dtype[Any]]
SliceSamples = Mapping[str, Mapping[str, int]]
SLICE_CLAUSE = "max_slice_drop"


def slice_claim(policy: Gate, comparison: Comparison, slice_samples: SliceSamples) -> Claim | None:
    """That no slice loses more than the policy allows; None where the policy asks nothing of slices.

    Args:
        slice_samples: how many samples of each value there are to be had, by field. By that number it is decided
            whether a slice must be proved to keep its limit: one that has hardly been seen yet is open, not exempt.

    Raises:
        Undefined: a metric of a whole set has no value on a slice that must be proved to keep its limit.
    """
    if policy.slice_limit is None or (policy.max_slice_drop is None and not slice_samples):
        return None
    parts: dict[str, Evidence] = {} if slice_samples else {"": Nothing()}
    rare: dict[str, Evidence] = {}
    for place, (field, samples) in enumerate(sorted(slice_samples.items())):
        rows = _rows(comparison, place)
        host_rows = _rows(comparison.host, place) if comparison.host else {}
        common = {value for value, count in samples.items() if count >= policy.min_class_samples}
        if not common:
            parts[field] = Nothing()
        for value in samples:
            kind = parts if value in common else rare
            found = (rows.get(value), host_rows.get(value))
            kind[f"{field}={value}"] = _evidence(comparison, *found, f"{field}={value}", value in common)
    return Claim(SLICE_CLAUSE, policy.slice_limit, parts, rare)


def slice_losses(
    claim: Claim, comparison: Comparison, slice_samples: SliceSamples, alpha: float
) -> tuple[SliceLoss, ...]:
    """What the variant loses of every slice, the largest drop first.

    Args:
        alpha: the level of each bound, and of `failed` for all slices together.
    """
    evidence = {**claim.parts, **claim.rare}
    named = [(field, value) for field, values in slice_samples.items() for value in values]
    adjusted = holm([evidence[f"{field}={value}"].p_beyond(claim.limit) for field, value in named])
    rows = {(field, value): at for field, value, at in _all_rows(comparison, slice_samples)}
    losses = []
    for (field, value), p_beyond in zip(named, adjusted, strict=True):
        name = f"{field}={value}"
        each, at = evidence[name], rows.get((field, value))
        known = at is not None and not isinstance(each, Nothing)
        first, second = comparison.values_on(at) if known and at is not None else (None, None)
        low, high = each.bounds(1 - alpha)
        loss = SliceLoss(
            field=field,
            value_of_field=value,
            state=_state(each, claim, name, p_beyond, alpha),
            samples=0 if at is None else len(at),
            baseline=first,
            value=second,
            drop=each.estimate if known else None,
            low=low,
            high=high,
        )
        losses.append(loss)
    return tuple(sorted(losses, key=lambda loss: (loss.drop is None, -(loss.drop or 0.0), loss.name)))


def _state(
    evidence: Evidence, claim: Claim, name: str, p_beyond: float, alpha: float
) -> Literal["passed", "failed", "inconclusive", "rare"]:
    if p_beyond <= alpha:
        return "failed"
    if name in claim.rare:
        return "rare"
    return "passed" if evidence.p_within(claim.limit) <= alpha else "inconclusive"


def _evidence(
    comparison: Comparison, rows: Array | None, host_rows: Array | None, name: str, must_be_known: bool
) -> Evidence:
    """What a slice loses; nothing is known of one that was not seen, or of a rare one without a value."""
    if rows is None:
        return Nothing()
    try:
        return comparison.slice_drop(rows, host_rows)
    except Undefined as error:
        if must_be_known:
            raise Undefined(f"{name}: {error}") from None
        return Nothing()


def _all_rows(comparison: Comparison, slice_samples: SliceSamples) -> Iterator[tuple[str, str, Array]]:
    for place, field in enumerate(sorted(slice_samples)):
        yield from ((field, value, rows) for value, rows in _rows(comparison, place).items())


def _rows(comparison: Comparison, place: int) -> dict[str, Array]:
    """The rows of each value of a field that was seen, by its place among the names of all fields."""
    slices = comparison.first.slices if comparison.second.slices is None else comparison.second.slices
    if slices is None:
        return {}
    values, number = np.unique(slices[:, place], return_inverse=True)
    return {value.decode(): np.flatnonzero(number == at) for at, value in enumerate(values.tolist())}
