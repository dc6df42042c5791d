"""Whole samples: how many, which of them twice, which classes, and which are in the evaluation set too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from litegate.records import DataFinding

__all__ = ["counted", "coverage", "leakage", "named", "numbers_of_samples"]

Array = np.ndarray[Any, np.dtype[Any]]
FEWEST, ENOUGH = 10, 100
"""ResNet-8 loses 4 points with one sample and nothing with ten; LiteRT's documentation asks for 100 to 500."""
LEAKAGE_ERROR = 0.05
"""Real datasets hold some samples twice, fewer than 1 %; above this the sets were not kept apart."""
_SHOWN = 20


def numbers_of_samples(digests: Sequence[bytes], ids: Sequence[str]) -> Iterator[DataFinding]:
    """Whether there are enough, those that are there twice counted once.

    Args:
        digests: of the content of each sample.
        ids: their identities.
    """
    distinct = len(set(digests))
    if distinct < ENOUGH:
        of = "" if distinct == len(digests) else f" of {len(digests)}"
        yield DataFinding(
            severity="error" if distinct < FEWEST else "warning",
            code="too_few",
            message=f"{distinct} different samples{of}; 100 to 500 are usual, and fewer than {FEWEST} an error",
            numbers={"distinct": distinct, "samples": len(digests)},
        )
    if distinct < len(digests):
        counts = Counter(digests)
        twice = tuple(name for name, digest in zip(ids, digests, strict=True) if counts[digest] > 1)
        yield DataFinding(
            severity="warning",
            code="duplicates",
            message=f"{len(digests) - distinct} of {len(digests)} samples repeat another: {named(twice)}",
            numbers={"repeated": len(digests) - distinct, "samples": len(digests)},
            samples=twice[:_SHOWN],
        )


def coverage(calibration: Mapping[str, int], evaluation: Mapping[str, int]) -> Iterator[DataFinding]:
    """Classes that are evaluated and not calibrated; nothing where one of the sets has no classes.

    Args:
        calibration: number of samples by class, named as the dataset names it.
        evaluation: the same.
    """
    missing = sorted(set(evaluation) - set(calibration))
    if calibration and missing:
        yield DataFinding(
            severity="warning",
            code="labels",
            message=f"{len(missing)} of {len(evaluation)} classes of evaluation are not in calibration:"
            f" {named(missing)}",
            numbers={"missing": len(missing), "classes": len(evaluation)},
        )


def counted(labels: Array | None, chosen: Array | slice, names: Sequence[str]) -> dict[str, int]:
    """How many samples of each class are among the chosen, by name where there are names; empty without classes."""
    if labels is None:
        return {}
    counts = Counter(labels[chosen].tolist())
    return {names[label] if names else str(label): count for label, count in counts.items()}


def leakage(found: Mapping[str, str], samples: int, searched: int, available: int) -> Iterator[DataFinding]:
    """Calibration samples that are evaluated too, so that evaluation flatters what was calibrated.

    Args:
        found: identities in the evaluation set by those in the calibration set.
        samples: how many calibration samples there are.
        searched, available: how many evaluation samples were looked at, and how many there are.
    """
    if not found:
        return
    share = len(found) / samples
    pairs = tuple(f"{one} = {other}" for one, other in sorted(found.items()))
    part = "" if searched == available else f" ({searched:,} of its {available:,} samples were searched)"
    said = "one calibration sample is" if len(found) == 1 else f"{len(found)} of {samples} calibration samples are"
    yield DataFinding(
        severity="error" if share > LEAKAGE_ERROR else "warning",
        code="leakage",
        message=f"{said} also in the evaluation data{part}: {named(pairs)} (calibration = evaluation)",
        numbers={"overlapping": len(found), "share": share, "searched": searched, "available": available},
        samples=pairs[:_SHOWN],
    )


def named(names: Sequence[str], shown: int = 5) -> str:
    """The first of them, and how many more there are."""
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return f"{', '.join(names[:shown]):.300}{more}"
