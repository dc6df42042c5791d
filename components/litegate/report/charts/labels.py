"""The names of points on a chart, with a line to the point where they had to move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from litegate.report.charts.boxes import Box, placed
from litegate.report.charts.canvas import COLOURS, FONT

__all__ = ["Label", "name_points"]

_LINE = {"arrowstyle": "-", "color": COLOURS["muted"], "linewidth": 0.8, "shrinkA": 0, "shrinkB": 6}


@dataclass(frozen=True)
class Label:
    """A name, the point that it belongs to, and the ends of the point's interval."""

    text: str
    x: float
    y: float
    low: float | None
    high: float | None
    bold: bool

    @property
    def width(self) -> float:
        """About how wide the text is, in points."""
        return 0.6 * FONT * len(self.text) + 4


def name_points(axis: Any, labels: Sequence[Label], lines: Sequence[float]) -> None:
    """Write the names on a chart whose layout and scales are settled.

    Args:
        lines: heights of lines that no name may lie on; the last one bears a text at its right end.
    """
    (left, bottom), (right, top) = axis.transAxes.transform([(0, 0), (1, 1)])
    frame = Box((left + right) / 2, (bottom + top) / 2, right - left, top - bottom)
    middles = [axis.transData.transform((label.x, label.y)) for label in labels]
    marks = [Box(x, y, 20, 18) for x, y in middles]
    wanted = [
        Box(mark.x + 14 + label.width / 2, mark.y, label.width, 1.25 * FONT)
        for mark, label in zip(marks, labels, strict=True)
    ]
    taken = [*_lines(axis, lines, frame), *_intervals(axis, labels)]
    for label, mark, box in zip(labels, marks, placed(marks, wanted, taken, frame), strict=True):
        _write(axis, label, mark, box)


def _write(axis: Any, label: Label, mark: Box, box: Box) -> None:
    moved = abs(box.y - mark.y) > FONT or not 0 < box.left - mark.x < 20
    axis.annotate(
        label.text,
        (label.x, label.y),
        (box.left - mark.x, box.y - mark.y),
        textcoords="offset points",
        ha="left",
        va="center_baseline",
        fontweight="bold" if label.bold else "normal",
        zorder=6,
        arrowprops=_LINE | {"relpos": (float(box.x < mark.x), 0.5)} if moved else None,
    )


def _lines(axis: Any, heights: Sequence[float], frame: Box) -> list[Box]:
    """The lines across the chart, and the text on the last of them."""
    places = [axis.transData.transform((1.0, height))[1] for height in heights]
    text = Box(frame.x + frame.width / 2 - 55, places[-1] + FONT, 110, 1.6 * FONT)
    return [*(Box(frame.x, y, frame.width, 3) for y in places), text]


def _intervals(axis: Any, labels: Sequence[Label]) -> list[Box]:
    at, found = axis.transData.transform, []
    for label in labels:
        if label.low is not None and label.high is not None:
            (x, low), (_, high) = at((label.x, label.low)), at((label.x, label.high))
            found.append(Box(x, (low + high) / 2, 8, high - low))
    return found
