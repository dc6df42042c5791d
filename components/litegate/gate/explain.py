"""Why a verdict is what it is: which samples flipped, which classes lost, and one sentence for people."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from litegate.gate.clauses import class_name
from litegate.gate.contrasts import Comparison
from litegate.gate.multiplicity import holm
from litegate.gate.sentences import sentence
from litegate.outcomes.columns import Outcomes
from litegate.records import ClassLoss, Flip, SliceLoss
from litegate.spec.metric_facts import MetricFacts

__all__ = ["Flipped", "agreement", "class_losses", "classes_csv", "flips", "read_classes", "sentence", "slices_csv"]

Array = np.ndarray[Any, np.dtype[Any]]

_FLIPS = ("id", "index", "label", "baseline_prediction", "prediction", "baseline_score", "score", "loss")
_SLICES = ("field", "value_of_field", "state", "samples", "baseline", "value", "drop", "low", "high")
_CLASSES = ("label", "name", "samples", "baseline", "value", "drop", "low", "high", "proved")


@dataclass(frozen=True)
class Flipped:
    """The samples on which two artifacts answer otherwise, the worst first.

    Attributes:
        rows: where they are in `baseline` and `candidate`.
        loss: what is lost with each of `rows`, positive where the candidate is worse.
        baseline_score, score: of every sample.
    """

    baseline: Outcomes
    candidate: Outcomes
    baseline_score: Array
    score: Array
    rows: Array
    loss: Array

    def __len__(self) -> int:
        return len(self.rows)

    def worst(self, count: int) -> tuple[Flip, ...]:
        """The first `count`."""
        label = self.baseline.label
        return tuple(
            Flip(
                id=_text(self.baseline.id[row]),
                label=None if label is None else int(label[row]),
                baseline=float(self.baseline_score[row]),
                value=float(self.score[row]),
                loss=float(loss),
            )
            for row, loss in zip(self.rows[:count], self.loss[:count], strict=True)
        )

    def csv(self, names: Sequence[str] = ()) -> bytes:
        """All of them as CSV, UTF-8; `names` are those of the labels, if there are any."""
        first, second = self.baseline, self.candidate
        classes = (first.label, first.prediction, second.prediction)
        columns = (
            [_text(id_) for id_ in first.id[self.rows]],
            first.index[self.rows].tolist(),
            *(self._named(column, names) for column in classes),
            *(column[self.rows].astype(float).tolist() for column in (self.baseline_score, self.score)),
            self.loss.tolist(),
        )
        return _csv(_FLIPS, zip(*columns, strict=True))

    def _named(self, labels: Array | None, names: Sequence[str]) -> list[str]:
        return (
            [""] * len(self) if labels is None else [class_name(label, names) for label in labels[self.rows].tolist()]
        )


def agreement(baseline: Outcomes, candidate: Outcomes) -> float | None:
    """Share of samples with the same answer: prediction, or else score, or else output; None without samples."""
    for name in ("prediction", "score", "output"):
        first, second = getattr(baseline, name), getattr(candidate, name)
        if first is not None and second is not None and len(first):
            return float(np.mean((first == second).reshape(len(first), -1).all(axis=1)))
    return None


def flips(baseline: Outcomes, candidate: Outcomes, metric: MetricFacts, least: float = 0.0) -> Flipped:
    """The samples whose score changes: the worst first, ties by id.

    Where the metric is of a whole set, the score of a sample is whether its prediction is right, and a sample flips
    with its prediction; without predictions no single sample can be blamed, and none flips.

    Args:
        baseline, candidate: matched outcomes.
        least: the allowed drop in the metric's unit. Scores other than right and wrong, nearly all of which change a
            little, flip only where they change by more.
    """
    first, second = _scores(baseline, metric), _scores(candidate, metric)
    sign = 1.0 if metric.higher_is_better or not metric.per_sample else -1.0
    loss = sign * (first.astype(float) - second.astype(float))
    if not metric.per_sample and baseline.prediction is not None:
        changed = baseline.prediction != candidate.prediction
    else:
        changed = np.abs(loss) > (least if np.issubdtype(first.dtype, np.floating) else 0.0)
    rows = np.flatnonzero(changed)
    rows = rows[np.lexsort((baseline.id[rows], -loss[rows]))]
    return Flipped(baseline, candidate, first, second, rows, loss[rows])


def class_losses(comparison: Comparison, names: Sequence[str], confidence: float) -> tuple[ClassLoss, ...]:
    """What the second artifact loses of each class, the largest drop first; nothing without labels.

    The score of a sample is the metric's own, or whether its prediction is right where the metric is of a whole set.

    Args:
        names: of the labels; a label without a name goes by its number.
        confidence: of each one-sided bound, and of `proved` for all classes together (Holm 1979).
    """
    labels = comparison.first.label
    if labels is None or (not comparison.metric.per_sample and comparison.first.prediction is None):
        return ()
    classes = np.unique(labels).tolist()
    evidence = [comparison.class_drop(label) for label in classes]
    proved = holm([each.p_beyond(0.0) for each in evidence])
    scores = [_scores(outcomes, comparison.metric) for outcomes in (comparison.first, comparison.second)]
    losses = []
    for label, each, p_value in zip(classes, evidence, proved, strict=True):
        first, second = (score[labels == label] for score in scores)
        low, high = each.bounds(confidence)
        loss = ClassLoss(
            label=label,
            name=class_name(label, names),
            samples=len(first),
            baseline=float(first.mean()),
            value=float(second.mean()),
            drop=each.estimate,
            low=low,
            high=high,
            proved=p_value <= 1 - confidence,
        )
        losses.append(loss)
    return tuple(sorted(losses, key=lambda loss: (-loss.drop, loss.label)))


def classes_csv(losses: Iterable[ClassLoss]) -> bytes:
    """All classes as CSV, UTF-8, in the order given."""
    return _csv(_CLASSES, ([getattr(loss, column) for column in _CLASSES] for loss in losses))


def slices_csv(losses: Iterable[SliceLoss]) -> bytes:
    """All slices as CSV, UTF-8, in the order given."""
    return _csv(_SLICES, ([getattr(loss, column) for column in _SLICES] for loss in losses))


def read_classes(content: bytes, names: Sequence[str]) -> tuple[ClassLoss, ...]:
    """The classes that `classes_csv` wrote, with their own names, of which some are marked as text there."""
    rows = csv.DictReader(io.StringIO(content.decode(), newline=""))
    return tuple(
        ClassLoss(
            label=int(row["label"]),
            name=class_name(int(row["label"]), names),
            samples=int(row["samples"]),
            baseline=float(row["baseline"]),
            value=float(row["value"]),
            drop=float(row["drop"]),
            low=float(row["low"] or "nan"),
            high=float(row["high"] or "nan"),
            proved=row["proved"] == "True",
        )
        for row in rows
    )


def _scores(outcomes: Outcomes, metric: MetricFacts) -> Array:
    """One number a sample: the metric's own, or whether the prediction is right; zeros where there is neither."""
    if metric.per_sample:
        assert outcomes.score is not None
        return outcomes.score
    if outcomes.prediction is None or outcomes.label is None:
        return np.zeros(len(outcomes), bool)
    right: Array = outcomes.prediction == outcomes.label
    return right


def _text(id_: bytes) -> str:
    return id_.decode(errors="replace")


def _csv(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Rows of text and numbers; text that a spreadsheet would run as a formula is marked as text."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(heads)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return buffer.getvalue().encode()


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and re.match(r"[=+\-@\t\r\n]", value) else value
