"""One input's calibration values: by themselves, and against the evaluation set's.

Calibration takes the least and the largest value as the range of an input, so a range that is 255 times too
large leaves one level of 256 for the real values, and one that is too small clips them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from litegate.lint.summary import Summary
from litegate.records import DataFinding

__all__ = ["by_itself", "compared"]

Array = np.ndarray[Any, np.dtype[Any]]
SCALE_ERROR, SCALE_WARNING = 10.0, 2.0
"""Ratio of the spreads: a missing division by 255 gives 255 or 128, a change of contrast rarely more than 2."""
SHIFT_ERROR, SHIFT_WARNING = 1.0, 0.25
"""Distance of the means in standard deviations; 0..1 against -1..1 is 1.7, the mean of 100 fair samples below 0.1."""
CLIPPED_ERROR, CLIPPED_WARNING = 0.10, 0.01
"""Share of the evaluation's values beyond the calibrated range: int8 clips them."""
OUTLIER_RATIO = 10.0
"""How much wider single values make the range: at 10, 8 bits are less than 5 for all others."""
DEAD_SHARE = 0.25


def by_itself(name: str, found: Summary, evaluation: Summary | None) -> Iterator[DataFinding]:
    """Samples and inputs of a single value: an error, unless all evaluation samples are so as well.

    Where some are, and nearly as many of the evaluation's, the data are like that: a mask that masks nothing.
    """
    expected = evaluation is not None and (
        len(evaluation.constant) == evaluation.samples or evaluation.low == evaluation.high
    )
    if found.low == found.high:
        message, share = f"every value of every sample is {found.low:g}", 1.0
    elif found.constant:
        share = len(found.constant) / found.samples
        if evaluation is not None and len(evaluation.constant) >= share * evaluation.samples / 2:
            return
        message = f"{len(found.constant)} of {found.samples} samples hold a single value, as a blank image does"
    else:
        return
    severity = "error" if share == 1 and not expected else "warning"
    numbers = {"share": share, "low": found.low, "high": found.high}
    yield DataFinding.model_validate(
        {"severity": severity, "code": "constant", "input": name, "message": message, "numbers": numbers}
    )


def compared(name: str, calibration: Summary, evaluation: Summary, floating: bool) -> Iterator[DataFinding]:
    """How the values differ from those that are evaluated; on integers, which may be identifiers, only warnings.

    The first reason that explains a difference is given, errors before warnings, and not what follows from it.
    """
    if calibration.low == calibration.high:
        return  # and that has been said
    found = [each for check in _CHECKS if (each := check(name, calibration, evaluation)) is not None]
    found.sort(key=lambda finding: finding.severity)
    for finding in found[:1]:
        yield finding if floating else finding.model_copy(update={"severity": "warning"})
    yield from _dead(name, calibration, evaluation)


def _outliers(name: str, calibration: Summary, evaluation: Summary) -> DataFinding | None:
    if not evaluation.span or calibration.span <= OUTLIER_RATIO * evaluation.span:
        return None
    if calibration.spread > SCALE_WARNING * evaluation.spread:
        return None  # it is not a few values that are large, but all
    return DataFinding(
        severity="error",
        code="outliers",
        input=name,
        message=f"single values of calibration reach {calibration.low:g} to {calibration.high:g}, while 99.8 % of them"
        f" are within {calibration.tails[0]:g} to {calibration.tails[1]:g} and evaluation is within"
        f" {evaluation.low:g} to {evaluation.high:g}",
        numbers={"calibration_span": calibration.span, "evaluation_span": evaluation.span},
    )


def _scale(name: str, calibration: Summary, evaluation: Summary) -> DataFinding | None:
    if not evaluation.spread or not calibration.spread:
        return None
    ratio = calibration.spread / evaluation.spread
    size = max(ratio, 1 / ratio)
    if size < SCALE_WARNING:
        return None
    larger, smaller = ("calibration", "evaluation") if ratio > 1 else ("evaluation", "calibration")
    hint = ": one of them is probably not divided by 255 or 127.5" if 100 < size < 300 else ""
    return DataFinding(
        severity="error" if size >= SCALE_ERROR else "warning",
        code="scale",
        input=name,
        message=f"the values of {larger} spread {size:.3g} times wider than those of {smaller}"
        f" ({_ranges(calibration, evaluation)}){hint}",
        numbers={"ratio": ratio, "calibration_std": calibration.std, "evaluation_std": evaluation.std},
    )


def _shift(name: str, calibration: Summary, evaluation: Summary) -> DataFinding | None:
    std = min(calibration.std, evaluation.std) or max(calibration.std, evaluation.std)
    distance = abs(calibration.mean - evaluation.mean) / std
    if distance < SHIFT_WARNING:
        return None
    return DataFinding(
        severity="error" if distance >= SHIFT_ERROR else "warning",
        code="shift",
        input=name,
        message=f"the means are {distance:.2g} standard deviations apart: {calibration.mean:.4g} of calibration,"
        f" {evaluation.mean:.4g} of evaluation ({_ranges(calibration, evaluation)})",
        numbers={"distance": distance, "calibration_mean": calibration.mean, "evaluation_mean": evaluation.mean},
    )


def _clipped(name: str, calibration: Summary, evaluation: Summary) -> DataFinding | None:
    slack = 1e-6 * max(abs(calibration.low), abs(calibration.high))
    values = evaluation.values
    share = float(np.mean((values < calibration.low - slack) | (values > calibration.high + slack)))
    if share < CLIPPED_WARNING:
        return None
    return DataFinding(
        severity="error" if share >= CLIPPED_ERROR else "warning",
        code="clipped",
        input=name,
        message=f"{100 * share:.3g} % of the values of evaluation lie beyond calibration, and are clipped"
        f" ({_ranges(calibration, evaluation)})",
        numbers={"share": share},
    )


def _dead(name: str, calibration: Summary, evaluation: Summary) -> Iterator[DataFinding]:
    """Pixels or columns that never change in calibration and do in evaluation."""
    if not calibration.size or calibration.size != evaluation.size:
        return
    still, alive = ~calibration.moving, evaluation.moving
    share = float(np.mean(still & alive))
    if share > DEAD_SHARE:
        yield DataFinding(
            severity="warning",
            code="constant_features",
            input=name,
            message=f"{100 * share:.3g} % of the {calibration.size} values of a sample never change in calibration,"
            " and do in evaluation",
            numbers={"share": share},
        )


def _ranges(calibration: Summary, evaluation: Summary) -> str:
    return (
        f"calibration {calibration.low:.4g} to {calibration.high:.4g},"
        f" evaluation {evaluation.low:.4g} to {evaluation.high:.4g}"
    )


_CHECKS = (_outliers, _scale, _shift, _clipped)
