"""What a user's `preprocess` makes of a sample when it is called again, and with another label."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from litegate.lint.evaluation import finding
from litegate.records import DataFinding

__all__ = ["Probe"]

Array = np.ndarray[Any, np.dtype[Any]]
_PROBED = 64


class Probe:
    """Calls `preprocess` for the first samples three times: again, with another label, and as asked.

    It stands in for `preprocess`; features of its own are given to each call, which may change them in place. That
    `preprocess` gives another label is its right, so only features are compared.

    Args:
        labels: the classes of all samples; None where the labels are targets.
    """

    def __init__(self, preprocess: Callable[..., Any], labels: Array | None) -> None:
        self._preprocess = preprocess
        self._classes = [] if labels is None else np.unique(labels).tolist()
        self._last: Array | None = None
        self._probed = 0
        self.random = self.by_label = self.refused = 0

    def __call__(self, features: Mapping[str, Array], label: Any) -> Any:
        """What `preprocess` gives."""
        if self._probed >= _PROBED:
            return self._preprocess(features, label)
        self._probed += 1
        again = self._features(features, label)
        instead = self._another(label)
        other = None if instead is None else self._features(features, instead)
        found = self._preprocess(_copied(features), label)
        first = _arrays(found)
        if again is None or not _same(first, again):
            self.random += 1
        elif other is not None:
            self.by_label += not _same(first, other)
        else:
            self.refused += instead is not None
        return found

    def findings(self) -> Iterator[DataFinding]:
        """What the calls have shown."""
        of, numbers = f"of {self._probed} samples", {"probed": self._probed}
        if self.random:
            said = f"`preprocess` gives other features when it is called again, for {self.random} {of}"
            yield finding("error", "random_preprocess", said, samples=self.random, **numbers)
        if self.by_label:
            said = f"`preprocess` gives other features when only the label is another, for {self.by_label} {of}"
            yield finding("error", "label_dependent", f"{said}: the model is told the answer", **numbers)
        elif self.refused:
            said = f"`preprocess` fails when only the label is another, for {self.refused} {of}: does it look at it?"
            yield finding("warning", "label_dependent", said, samples=self.refused, **numbers)

    def _another(self, label: Any) -> Any:
        """The next class that the data has, or the target of the sample before; None where there is none to try."""
        if label is None:
            return None
        if isinstance(label, int):
            later = [each for each in self._classes if each > label]
            found = later[0] if later else next(iter(self._classes), label)
            return label + 1 if found == label else found
        target, last = np.asarray(label), self._last
        self._last = target
        if last is None or last.shape != target.shape or np.array_equal(last, target):
            return None
        return np.array(last)

    def _features(self, features: Mapping[str, Array], label: Any) -> dict[str, Array] | None:
        """None where `preprocess` fails."""
        try:
            return _arrays(self._preprocess(_copied(features), label))
        except Exception:
            return None


def _copied(features: Mapping[str, Array]) -> dict[str, Array]:
    return {name: np.array(value) for name, value in features.items()}


def _arrays(result: Any) -> dict[str, Array]:
    """Copies of the features that `preprocess` gave; none where it gave none, which the reader refuses."""
    try:
        return {name: np.array(value) for name, value in result[0].items()}
    except (AttributeError, IndexError, TypeError):
        return {}


def _same(one: Mapping[str, Array], other: Mapping[str, Array]) -> bool:
    return one.keys() == other.keys() and all(_equal(one[name], other[name]) for name in one)


def _equal(one: Array, other: Array) -> bool:
    return np.array_equal(one, other, equal_nan=one.dtype.kind == "f" and other.dtype.kind == "f")
