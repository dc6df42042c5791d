"""Charts as SVG that the page's style sheet colours: light, dark and in print from one drawing.

A chart is drawn with stand-ins for colours. In the SVG each becomes a variable of the style sheet, and so follows
the reader's colour scheme. No user's text goes into a chart: nothing in it needs to be escaped.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import matplotlib as mpl
from markupsafe import Markup, escape
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

__all__ = ["COLOURS", "FONT", "GLYPHS", "MARKERS", "Canvas"]

FONT = 12.0
"""Text size in points: charts are drawn about as wide as a telephone, and never shrunk by much."""

COLOURS: Mapping[str, str] = MappingProxyType(
    {
        "ink": "#010101",
        "muted": "#020202",
        "grid": "#030303",
        "surface": "#040404",
        "passed": "#050505",
        "failed": "#060606",
        "inconclusive": "#070707",
        "baseline": "#080808",
        "kind-1": "#090909",
        "kind-2": "#0a0a0a",
        "kind-3": "#0b0b0b",
        "kind-4": "#0c0c0c",
    }
)
"""Stand-ins by variable of the style sheet."""

MARKERS: Mapping[str, str] = MappingProxyType({"passed": "o", "failed": "X", "inconclusive": "D", "baseline": "s"})
"""Verdicts differ by shape as well as by colour."""

GLYPHS: Mapping[str, str] = MappingProxyType(
    {"passed": "\u25cf", "failed": "\u2716", "inconclusive": "\u25c6", "baseline": "\u25a0"}
)
"""The same shapes as characters."""

_VARIABLES = {colour: f"var(--{name})" for name, colour in COLOURS.items()}
_STYLE = {
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": FONT,
    "text.parse_math": False,
    "text.color": COLOURS["ink"],
    "axes.edgecolor": COLOURS["muted"],
    "axes.labelcolor": COLOURS["ink"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": COLOURS["grid"],
    "grid.linewidth": 0.8,
    "xtick.color": COLOURS["muted"],
    "ytick.color": COLOURS["muted"],
    "xtick.labelcolor": COLOURS["ink"],
    "ytick.labelcolor": COLOURS["ink"],
    "hatch.color": COLOURS["surface"],
    "hatch.linewidth": 1.4,
    "legend.frameon": False,
}


class Canvas:
    """One chart.

    Args:
        name: of the chart, unique on the page: its parts are named after it.
        width, height: in points.
        left, top: room for texts beside the axes, in points.
    """

    def __init__(self, name: str, width: float, height: float, left: float, top: float) -> None:
        self.name = name
        self.figure: Any = Figure(figsize=(width / 72, height / 72), dpi=72)
        FigureCanvasSVG(self.figure)
        self._place = (left / width, 42 / height, 1 - (left + 8) / width, 1 - (42 + top) / height)

    @contextmanager
    def drawing(self) -> Iterator[Any]:
        """The axes, under the report's style."""
        with mpl.rc_context(_STYLE | {"svg.hashsalt": self.name}):
            yield self.figure.add_axes(self._place)

    def svg(self, description: str) -> Markup:
        """The chart for a page, with what it shows in words for those who do not see it."""
        buffer = io.StringIO()
        with mpl.rc_context(_STYLE | {"svg.hashsalt": self.name}):
            self.figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
        return _inline(buffer.getvalue(), self.name, description)


def _inline(svg: str, name: str, description: str) -> Markup:
    """An SVG document as an element of a page: no prolog, no metadata, no names that others could have too."""
    opening = re.search(r'<svg [^>]*?(viewBox="[\d. -]+")[^>]*>', svg)
    assert opening is not None
    body = re.sub(r"<(metadata|style).*?</\1>", "", svg[opening.end() :], flags=re.DOTALL)
    body = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", body)
    body = re.sub(r"#[0-9a-f]{6}\b", lambda found: _VARIABLES.get(found[0], found[0]), body)
    body = re.sub(r"\n\s*", " ", body).strip()
    label = escape(description)
    return Markup(f'<svg {opening[1]} role="img" aria-label="{label}"><title>{label}</title>{body}')  # noqa: S704
