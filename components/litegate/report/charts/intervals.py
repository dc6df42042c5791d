"""Intervals against a limit: how sure it is that something is within it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from litegate.report.charts.canvas import COLOURS, MARKERS, Canvas
from litegate.report.charts.scale import span

__all__ = ["Interval", "intervals"]


@dataclass(frozen=True)
class Interval:
    """What was found for a variant, between its bounds; a bound is None where there is none."""

    name: str
    found: float
    low: float | None
    high: float | None
    state: str


def intervals(name: str, rows: Sequence[Interval], limit: float, axis_label: str, style: str, words: str) -> Markup:
    """The chart: a line for each row, the limit across all of them.

    Args:
        name: of the chart, unique on the page.
        style: of what is far out, as a format.
        words: what the chart shows.
    """
    canvas = Canvas(name, 470, 50 + 24 * len(rows), left=156, top=6)
    with canvas.drawing() as axis:
        lowest, highest = _ends(rows, limit)
        axis.set_xlim(lowest, highest)
        axis.set_ylim(len(rows) - 0.4, -0.6)
        axis.set_yticks(range(len(rows)), [row.name for row in rows])
        axis.tick_params(axis="y", length=0)
        axis.grid(visible=False, axis="y")
        axis.set_xlabel(axis_label)
        axis.axvspan(lowest, limit, color=COLOURS["passed"], alpha=0.08, linewidth=0)
        axis.axvline(limit, color=COLOURS["failed"], linewidth=1.5, linestyle=(0, (6, 3)))
        for place, row in enumerate(rows):
            _row(axis, row, place, (lowest, highest), style)
    return canvas.svg(words)


def _ends(rows: Sequence[Interval], limit: float) -> tuple[float, float]:
    """The ends of the scale, with room for the numbers of what is beyond."""
    lowest, highest = span([(row.found, row.low, row.high) for row in rows], limit)
    room = 0.06 * (highest - lowest) or 1.0
    before, beyond = (5 * room if any(side) else room for side in _sides(rows, lowest, highest))
    return lowest - before, highest + beyond


def _sides(rows: Sequence[Interval], lowest: float, highest: float) -> tuple[list[bool], list[bool]]:
    return [row.found < lowest for row in rows], [row.found > highest for row in rows]


def _row(axis: Any, row: Interval, place: int, ends: tuple[float, float], style: str) -> None:
    colour = COLOURS[row.state]
    low, high = (ends[0] if row.low is None else row.low), (ends[1] if row.high is None else row.high)
    if low < ends[1] and high > ends[0]:
        axis.plot([max(low, ends[0]), min(high, ends[1])], [place, place], color=colour, linewidth=2.2)
    for end in (row.low, row.high):
        if end is not None:
            axis.plot(end, place, "|", color=colour, markersize=9, markeredgewidth=1.8)
    if ends[0] <= row.found <= ends[1]:
        axis.plot(row.found, place, MARKERS[row.state], color=colour, markersize=8)
        return
    side = row.found > ends[1]
    axis.plot(ends[side], place, "<>"[side], color=colour, markersize=8, clip_on=False)
    words, edge = f"{row.found:+{style}}", ("left", "right")[side]
    axis.annotate(words, (ends[side], place), ((10, -10)[side], 0), textcoords="offset points", ha=edge, va="center")
