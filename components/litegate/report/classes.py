"""What each variant loses of each class: a heat map of the classes that matter, all of them if they are few."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from litegate.presentation import wording
from litegate.records import ClassLoss
from litegate.report.run import Run

__all__ = ["Cell", "HeatMap", "HeatRow", "coloured", "heat_map"]

_SHOWN = 30
"""So many classes fit a page; of more, those that lose most are shown."""


@dataclass(frozen=True)
class Cell:
    """A class of a variant.

    Attributes:
        text: the loss as a number with its sign; empty where nothing is known.
        side: `worse`, `better`, or `same`.
        strength: 0 to 100, of the colour.
        proved: whether it is proved that the class lost anything.
        hint: the numbers behind it.
    """

    text: str
    side: str = "same"
    strength: int = 0
    proved: bool = False
    hint: str = ""


@dataclass(frozen=True)
class HeatRow:
    """A class, or all that are not shown, with a cell for each variant."""

    name: str
    samples: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class HeatMap:
    """The classes that lost most first.

    Attributes:
        total: how many classes there are.
        counted: what the numbers are.
        rest: the mean of all classes that are not shown; None where all are.
    """

    variants: tuple[str, ...]
    rows: tuple[HeatRow, ...]
    rest: HeatRow | None
    total: int
    counted: str


def heat_map(run: Run, losses: Mapping[str, Sequence[ClassLoss]]) -> HeatMap | None:
    """The heat map; None where no variant has classes.

    Args:
        losses: all classes by variant; where a variant is missing, the few that its verdict carries are taken.
    """
    found = {row.name: losses.get(row.name) or row.verdict.classes for row in run.measured}
    by_variant = {name: {loss.label: loss for loss in classes} for name, classes in found.items() if classes}
    if not by_variant:
        return None
    known = {loss.label: loss.name for classes in by_variant.values() for loss in classes.values()}
    order = sorted(known, key=lambda label: (-_worst(label, by_variant), label))
    shown, hidden = order[:_SHOWN], order[_SHOWN:]
    scale = max((abs(loss.drop) for classes in by_variant.values() for loss in classes.values()), default=0.0) or 1.0
    whole = not run.metric.per_sample
    unit = wording.unit_of(whole or run.percent)
    rows = [_row(known[label], [classes.get(label) for classes in by_variant.values()], unit, scale) for label in shown]
    return HeatMap(
        variants=tuple(by_variant),
        rows=tuple(rows),
        rest=_rest(hidden, by_variant, unit, scale) if hidden else None,
        total=len(known),
        counted=f"{'correct predictions' if whole else run.metric_name}{f', in{unit.name}' if unit.name else ''}",
    )


def _worst(label: int, by_variant: Mapping[str, Mapping[int, ClassLoss]]) -> float:
    return max(classes[label].drop for classes in by_variant.values() if label in classes)


def _row(name: str, losses: Sequence[ClassLoss | None], unit: wording.Unit, scale: float) -> HeatRow:
    samples = sorted({loss.samples for loss in losses if loss})
    return HeatRow(
        name=name,
        samples="\u2013".join(f"{number:,}" for number in dict.fromkeys((samples[0], samples[-1]))),
        cells=tuple(_cell(loss, unit, scale) if loss else Cell("") for loss in losses),
    )


def _cell(loss: ClassLoss, unit: wording.Unit, scale: float) -> Cell:
    hint = f"{loss.baseline:.4g} to {loss.value:.4g} on {loss.samples:,} samples"
    return coloured(loss.drop, unit, scale, loss.proved, hint)


def coloured(drop: float, unit: wording.Unit, scale: float, proved: bool, hint: str) -> Cell:
    """A loss as a cell, as strong as it is on a scale."""
    text = unit.number(drop, 1, sign="+" if drop else "")
    side = "worse" if drop > 0 else "better" if drop < 0 else "same"
    return Cell(text, side, round(100 * min(abs(drop) / scale, 1.0)), proved, hint)


def _rest(
    labels: Sequence[int], by_variant: Mapping[str, Mapping[int, ClassLoss]], unit: wording.Unit, scale: float
) -> HeatRow:
    """The mean over the classes that are not shown, each class counting the same."""
    cells = []
    for classes in by_variant.values():
        drops = [classes[label].drop for label in labels if label in classes]
        mean = sum(drops) / len(drops) if drops else None
        cells.append(Cell("") if mean is None else coloured(mean, unit, scale, False, f"of {len(drops):,} classes"))
    return HeatRow(f"mean of the {len(labels):,} other classes", "", tuple(cells))
