"""Bars that are made of kinds: what a file consists of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from litegate.report.charts.canvas import COLOURS, FONT, Canvas

__all__ = ["Stack", "stacks"]

_FILLS = (("kind-1", ""), ("kind-2", "//"), ("kind-3", ".."), ("kind-4", "xx"))
"""Kinds differ by colour and by pattern."""


@dataclass(frozen=True)
class Stack:
    """A bar: amounts by kind, and a text for its end."""

    name: str
    parts: Mapping[str, float]
    text: str


def stacks(name: str, bars: Sequence[Stack], kinds: Sequence[str], axis_label: str, words: str) -> Markup:
    """The chart.

    Args:
        name: of the chart, unique on the page.
        kinds: in the order in which they are stacked, at most four.
        words: what the chart shows.
    """
    canvas = Canvas(name, 470, 72 + 24 * len(bars), left=156, top=30)
    with canvas.drawing() as axis:
        names, ends = [bar.name for bar in bars], [0.0] * len(bars)
        for kind, (colour, hatch) in zip(kinds, _FILLS, strict=False):
            sizes = [bar.parts.get(kind, 0.0) for bar in bars]
            look = {"color": COLOURS[colour], "edgecolor": COLOURS["surface"], "hatch": hatch, "linewidth": 0.8}
            axis.barh(names, sizes, 0.68, ends, label=kind, **look)
            ends = [end + size for end, size in zip(ends, sizes, strict=True)]
        for place, (bar, end) in enumerate(zip(bars, ends, strict=True)):
            axis.text(end, place, f" {bar.text}", va="center", fontsize=FONT)
        axis.set_xlim(0, 1.28 * max(ends, default=1.0))
        axis.set_ylim(len(bars) - 0.4, -0.6)
        axis.tick_params(axis="y", length=0)
        axis.grid(visible=False, axis="y")
        axis.set_xlabel(axis_label)
        canvas.figure.legend(loc="upper left", ncols=4, handlelength=1.4, columnspacing=1.2)
    return canvas.svg(words)
