"""How a file behaves on a few samples: what it answers, whether that can be meant, and on which kernels it holds.

The limits follow from what was measured on LiteRT 2.3 (ResNet-8 and the test models, all variants): XNNPACK and
the reference kernels differ by 3e-6 of the outputs' range in float, and in 8 bits on the median sample by 0 to 0.03
of it, with the same prediction on 94 to 100 % of the samples. Kernels that are further apart do not compute the
same model.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from litegate.runtimes import Model

__all__ = ["FEW", "FLOAT_LIMIT", "KernelGap", "answers", "is_constant", "kernel_gap", "problem_of", "unequal"]

Array = np.ndarray[Any, np.dtype[Any]]
Answers = dict[str, Array]

FEW = 8
"""With fewer distinct samples equal answers may be chance."""

FLOAT_LIMIT, MEDIAN_LIMIT, AGREEMENT_LIMIT, GROSS_LIMIT = 1e-3, 0.05, 0.9, 0.2
"""Shares of the outputs' range on the median sample, and of equal predictions; see `problem_of`."""


@dataclass(frozen=True)
class KernelGap:
    """Default against reference kernels.

    Attributes:
        samples: how many ran on both.
        difference: median over samples of the largest difference, as a share of the outputs' range.
        agreement: share of samples with the same prediction; None where the outputs are no scores of classes.
    """

    samples: int
    difference: float
    agreement: float | None


def answers(model: Model, features: Mapping[str, Array], seconds: float) -> Answers:
    """What a model says to samples, one at a time, by output name; fewer samples if time runs out, two at least."""
    size, end = len(next(iter(features.values()))), time.monotonic() + seconds
    rows: list[Answers] = []
    for index in range(size):
        if len(rows) >= 2 and time.monotonic() > end:
            break
        rows.append(model.predict({name: value[index : index + 1] for name, value in features.items()}))
    return {name: np.concatenate([row[name] for row in rows]) for name in model.outputs}


def is_constant(found: Answers) -> bool:
    """Whether all samples got the same answer."""
    return all((value == value[:1]).all() for value in found.values())


def unequal(first: Answers, second: Answers) -> list[str]:
    """Outputs that are not the same bit by bit on the samples that both have."""
    pairs = {name: _common(value, second[name]) for name, value in first.items()}
    return [name for name, (one, other) in pairs.items() if one.tobytes() != other.tobytes()]


def kernel_gap(default: Answers, reference: Answers, classifies: bool = False) -> KernelGap:
    """How far two sets of kernels are apart on the samples that both ran; the worst output counts.

    Args:
        classifies: whether the only output holds scores of classes.
    """
    pairs = [_common(value, reference[name]) for name, value in default.items()]
    agreement = _agreement(*pairs[0]) if classifies and len(pairs) == 1 else None
    return KernelGap(min(len(ours) for ours, _ in pairs), max(_difference(*pair) for pair in pairs), agreement)


def problem_of(gap: KernelGap, in_float: bool) -> tuple[str | None, bool]:
    """What is wrong between the kernels, and whether the file cannot be shipped for it.

    Float kernels must agree to `FLOAT_LIMIT`. Others are odd beyond `MEDIAN_LIMIT` or below `AGREEMENT_LIMIT`, and
    broken where both are so, or where the median sample is off by `GROSS_LIMIT` of the range.
    """
    said = f"default and reference kernels differ by {gap.difference:.2g} of the outputs' range"
    if gap.agreement is not None:
        said += f", with the same prediction on {gap.agreement:.0%} of {gap.samples} samples"
    if in_float:
        apart = gap.difference > FLOAT_LIMIT
        return (said, True) if apart else (None, False)
    off, unlike = gap.difference > MEDIAN_LIMIT, gap.agreement is not None and gap.agreement < AGREEMENT_LIMIT
    return (said if off or unlike else None), (off and unlike) or gap.difference > GROSS_LIMIT


def _common(first: Array, second: Array) -> tuple[Array, Array]:
    """The rows that both have: time may have run out for either."""
    rows = min(len(first), len(second))
    return first[:rows], second[:rows]


def _difference(default: Array, reference: Array) -> float:
    size = len(default)
    ours, theirs = (value.astype(np.float64).reshape(size, -1) for value in (default, reference))
    if not ours.size:
        return 0.0
    spread = float(np.ptp(ours)) or float(np.abs(ours).max()) or 1.0
    difference = float(np.median(np.abs(ours - theirs).max(axis=1))) / spread
    return difference if np.isfinite(difference) else float("inf")


def _agreement(default: Array, reference: Array) -> float | None:
    if default.ndim != 2 or default.shape[1] < 2:
        return None
    return float((default.argmax(axis=1) == reference.argmax(axis=1)).mean())
