"""What a user's `preprocess` makes of a sample when it is called again, and with another label."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from litegate.lint.evaluation import finding
from litegate.records import DataFinding

__all__ = ["Probe"]

Array = np.ndarray[Any, np.dtype[Any]]
_PROBED = 32


class Probe:
    """Calls `preprocess` for the first samples three times: as asked, again, and with another label.

    It stands in for `preprocess`; features of its own are given to each call, which may change them in place.
    """

    def __init__(self, preprocess: Callable[..., Any]) -> None:
        self._preprocess = preprocess
        self._probed = 0
        self._others: list[Any] = []
        self.random = self.by_label = 0

    def __call__(self, features: Mapping[str, Array], label: Any) -> Any:
        """What `preprocess` gives."""
        if self._probed >= _PROBED or label is None:
            return self._preprocess(features, label)
        self._probed += 1
        again = self._features(features, label)
        other = self._features(features, _another(label))
        found = self._preprocess(_copied(features), label)
        first = _arrays(found)
        if not _same(first, again):
            self.random += 1
        elif other is not None and not _same(first, other):
            self.by_label += 1
        return found

    def findings(self) -> Iterator[DataFinding]:
        """What the calls have shown."""
        if self.random:
            share = f"{self.random} of {self._probed} samples"
            said = f"`preprocess` gives other features when it is called again, for {share}"
            yield finding("error", "random_preprocess", said, samples=self.random, probed=self._probed)
        if self.by_label:
            said = (
                f"`preprocess` gives other features when only the label is another, for {self.by_label} of "
                f"{self._probed} samples: the model is told the answer"
            )
            yield finding("error", "label_dependent", said, samples=self.by_label, probed=self._probed)

    def _features(self, features: Mapping[str, Array], label: Any) -> dict[str, Array] | None:
        """None where `preprocess` refuses, as it may a label that no sample has."""
        try:
            return _arrays(self._preprocess(_copied(features), label))
        except Exception:
            return None


def _another(label: Any) -> Any:
    """Another class, or another target of the same kind."""
    if isinstance(label, int | np.integer):
        return 1 if int(label) == 0 else 0
    target = np.asarray(label)
    return ~target if target.dtype.kind == "b" else target[::-1] + 1 if target.ndim else target + 1


def _copied(features: Mapping[str, Array]) -> dict[str, Array]:
    return {name: np.array(value) for name, value in features.items()}


def _arrays(result: Any) -> dict[str, Array] | None:
    """The features of what `preprocess` gave; None where it gave none, which the reader refuses."""
    try:
        return {name: np.asarray(value) for name, value in result[0].items()}
    except (AttributeError, IndexError, TypeError):
        return None


def _same(one: dict[str, Array] | None, other: dict[str, Array] | None) -> bool:
    if one is None or other is None:
        return True
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)
