"""The variants side by side, as text."""

from __future__ import annotations

from dataclasses import dataclass

from litegate.presentation import wording
from litegate.presentation.benchmarks import share_bounds
from litegate.report.run import Row, Run, kib

__all__ = ["Line", "lines"]

MISSING = "\u2013"


@dataclass(frozen=True)
class Line:
    """One variant of the table; what was not measured is a dash."""

    name: str
    title: str
    state: str
    selected: bool
    value: str
    loss: str
    bounds: str
    size: str
    share: str
    latency: str
    latency_share: str
    samples: str
    clusters: str


def lines(run: Run) -> tuple[Line, ...]:
    """A line for each variant, the baseline included."""
    return tuple(_line(run, row) for row in run.rows)


def _line(run: Run, row: Row) -> Line:
    verdict, benchmark = row.verdict, row.benchmark
    is_baseline = row.state == "baseline"
    return Line(
        name=row.name,
        title=row.title,
        state=row.state,
        selected=row.selected,
        value=MISSING if verdict.value is None else wording.value(verdict.value, run.percent),
        loss=MISSING if verdict.drop is None or is_baseline else run.unit.number(verdict.drop, sign="+"),
        bounds="" if verdict.drop is None or is_baseline else _bounds(run, row),
        size=MISSING if row.bytes is None else kib(row.bytes),
        share="" if row.bytes is None else f"{100 * row.bytes / run.baseline_bytes:.0f} %",
        latency=MISSING if benchmark is None else wording.milliseconds(benchmark.latency_ms),
        latency_share="" if benchmark is None or benchmark.ratio is None else share_bounds(benchmark.ratio),
        samples=f"{verdict.samples:,}" if verdict.samples else MISSING,
        clusters="" if verdict.clusters is None else f"in {verdict.clusters:,} clusters",
    )


def _bounds(run: Run, row: Row) -> str:
    """Both ends of the interval; an end that is not known is a dash."""
    ends = (row.verdict.drop_low, row.verdict.drop_high)
    low, high = (MISSING if end is None else run.unit.number(end, sign="+") for end in ends)
    return f"{low} to {high}"
