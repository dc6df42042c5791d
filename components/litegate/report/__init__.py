"""The report of a run: one page that answers which file to ship, made from the run's records alone.

It needs nothing beside itself: no network, no script, no other file. Everything that users named is escaped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from litegate.records import ClassLoss, Comparison, RegisterRequest, RunResult
from litegate.report.advice import advice
from litegate.report.certainty import Certainty, certainty
from litegate.report.charts.canvas import GLYPHS
from litegate.report.classes import HeatMap, heat_map
from litegate.report.decision import after_measuring, decision_tree
from litegate.report.findings import findings
from litegate.report.fine_tuned import fine_tuned_file
from litegate.report.footprints import footprints
from litegate.report.headline import headline
from litegate.report.makeup import Makeup, makeup
from litegate.report.on_target import on_target
from litegate.report.recovered import recovered_file
from litegate.report.run import Run
from litegate.report.slices import slice_map
from litegate.report.table import lines
from litegate.report.tradeoffs import Tradeoff, tradeoffs

__all__ = ["Pictures", "drawn", "render"]

_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class Pictures:
    """What takes most of the time of a report, and depends on nothing that recording the run finds out."""

    tradeoffs: tuple[Tradeoff, ...]
    heat_map: HeatMap | None
    makeup: Makeup | None
    certainty: Certainty


def drawn(
    request: RegisterRequest, result: RunResult | Comparison, classes: Mapping[str, Sequence[ClassLoss]] | None = None
) -> Pictures:
    """The charts of a run.

    Args:
        result: what was made of the request; only its baseline matters.
        classes: what each variant loses of every class, without it the few that the verdicts carry.
    """
    run = Run(request, result)
    return Pictures(tradeoffs(run), heat_map(run, classes or {}), makeup(run), certainty(run))


def render(request: RegisterRequest, result: RunResult | Comparison, pictures: Pictures) -> str:
    """The page as HTML.

    Args:
        result: what was made of the request.
        pictures: the charts of the same run.
    """
    run = Run(request, result)
    return _PAGES.get_template("page.html").render(
        run=run,
        glyphs=GLYPHS,
        headline=headline(run),
        lines=lines(run),
        tradeoffs=pictures.tradeoffs,
        heat_map=pictures.heat_map,
        slice_map=slice_map(run),
        on_target=on_target(run),
        footprints=footprints(run),
        recovered=recovered_file(run),
        fine_tuned=fine_tuned_file(run),
        makeup=pictures.makeup,
        certainty=pictures.certainty,
        advice=advice(run),
        trees=(decision_tree(run), after_measuring(run)),
        findings=findings(run),
        links=[(name, url) for name, url in sorted(request.links.items()) if url.startswith(("http://", "https://"))],
    )
