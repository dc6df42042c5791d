"""Loss against a cost such as size or latency, with confidence intervals and the Pareto front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from litegate.report.charts.canvas import COLOURS, MARKERS, Canvas
from litegate.report.charts.labels import Label, name_points
from litegate.report.charts.scale import shown, span

__all__ = ["Point", "tradeoff"]

_LOG_FROM = 8.0
"""Costs that differ by more than this factor are drawn on a logarithmic scale."""


@dataclass(frozen=True)
class Point:
    """A variant on the chart.

    Attributes:
        cost: what it costs, in the unit of the axis.
        loss: what it loses, with the ends of its interval; an end is None where there is no bound.
        state: the verdict.
        front: whether no other costs less and loses less.
        selected: whether it may be promoted.
    """

    name: str
    cost: float
    loss: float
    low: float | None
    high: float | None
    state: str
    front: bool
    selected: bool


def tradeoff(name: str, points: Sequence[Point], limit: float, axes: tuple[str, str], style: str, words: str) -> Markup:
    """The chart.

    Args:
        name: of the chart, unique on the page.
        points: at least one.
        limit: the allowed loss.
        axes: what the two axes show, with units.
        style: of losses, as a format.
        words: what the chart shows.
    """
    canvas = Canvas(name, 470, 350, left=64, top=6)
    with canvas.drawing() as axis:
        axis.set_xlabel(axes[0])
        axis.set_ylabel(axes[1])
        edges = _scales(axis, points, limit)
        _lines(axis, limit, style)
        _front(axis, points, edges)
        for point in points:
            _point(axis, point, edges)
        _name(axis, points, limit, edges, style)
    return canvas.svg(words)


def _scales(axis: Any, points: Sequence[Point], limit: float) -> tuple[float, float]:
    """Set both scales; the ends of the vertical one."""
    costs = [point.cost for point in points]
    if min(costs) > 0 and max(costs) > _LOG_FROM * min(costs):
        axis.set_xscale("log")
        axis.set_xlim(min(costs) / 1.6, max(costs) * 4)
    else:
        spread = max(costs) - min(costs) or max(costs) or 1.0
        axis.set_xlim(min(costs) - 0.12 * spread, max(costs) + 0.4 * spread)
    axis.xaxis.set_major_formatter("{x:,.4g}")
    lowest, highest = span([(point.loss, point.low, point.high) for point in points], limit)
    room = 0.12 * (highest - lowest) or 1.0  # for names
    axis.set_ylim(lowest - room, highest + room)
    return lowest - room, highest + room


def _lines(axis: Any, limit: float, style: str) -> None:
    """Nothing lost, and all that may be lost."""
    axis.axhline(0, color=COLOURS["muted"], linewidth=1)
    axis.axhline(limit, color=COLOURS["failed"], linewidth=1.5, linestyle=(0, (6, 3)))
    axis.annotate(
        f"allowed: {limit:{style}}",
        (1, limit),
        (-2, 3),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        ha="right",
        va="bottom",
        color=COLOURS["failed"],
    )


def _front(axis: Any, points: Sequence[Point], edges: tuple[float, float]) -> None:
    """The front as a staircase: to the upper right of it everything is worse in both."""
    front = sorted((point for point in points if point.front), key=lambda point: point.cost)
    if len(front) > 1:
        xs, ys = [point.cost for point in front], [shown(point.loss, edges) for point in front]
        axis.step(xs, ys, where="post", color=COLOURS["ink"], linewidth=1.2, linestyle=(0, (1, 2)))


def _point(axis: Any, point: Point, edges: tuple[float, float]) -> None:
    """Its interval, and its verdict as a shape: filled on the front, ringed if selected."""
    colour, y = COLOURS[point.state], shown(point.loss, edges)
    if point.low is not None and point.high is not None and point.high > point.low:
        whiskers = [[max(point.loss - point.low, 0)], [max(point.high - point.loss, 0)]]
        axis.errorbar(point.cost, point.loss, whiskers, color=colour, linewidth=1.6, capsize=4, fmt="none", alpha=0.75)
    face = colour if point.front else COLOURS["surface"]
    shape = MARKERS[point.state] if y == point.loss else "^"
    axis.plot(point.cost, y, shape, color=colour, markerfacecolor=face, markersize=9, markeredgewidth=1.8, zorder=4)
    if point.selected:
        axis.plot(point.cost, y, "o", color=COLOURS["ink"], markerfacecolor="none", markersize=18, zorder=3)


def _name(axis: Any, points: Sequence[Point], limit: float, edges: tuple[float, float], style: str) -> None:
    """Name every point; one that is farther out than the chart reaches with its loss."""
    labels = []
    for point in sorted(points, key=lambda point: (-point.loss, point.cost)):
        y = shown(point.loss, edges)
        text = point.name if y == point.loss else f"{point.name}: {point.loss:+{style}}"
        labels.append(Label(text, point.cost, y, point.low, point.high, point.selected))
    name_points(axis, labels, (0.0, limit))
