"""What less size or less time costs in accuracy: both charts, and who is not on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from litegate.presentation.benchmarks import benchmark_conditions
from litegate.report.charts import Point, tradeoff
from litegate.report.run import Row, Run

__all__ = ["Tradeoff", "pareto_front", "tradeoffs"]


@dataclass(frozen=True)
class Tradeoff:
    """A chart, and in words what it shows and lacks.

    Attributes:
        chart: None where there is nothing to draw.
        front: the variants on the Pareto front, the cheapest first.
        absent: the variants that are not on the chart, with the reason.
    """

    title: str
    chart: Markup | None
    front: tuple[str, ...]
    absent: tuple[str, ...]
    note: str = ""


def tradeoffs(run: Run) -> tuple[Tradeoff, ...]:
    """Against size, and against latency."""
    return (
        _tradeoff(run, "size", "File size, KiB", _size, "no file"),
        _tradeoff(run, "latency", "Latency, ms (median)", _latency, "no latency"),
    )


def _size(row: Row) -> float | None:
    return row.bytes / 1024 if row.bytes else None


def _latency(row: Row) -> float | None:
    return row.benchmark.latency_ms if row.benchmark else None


def pareto_front(points: dict[str, tuple[float, float]]) -> tuple[str, ...]:
    """Those that no other is better than in one of (cost, loss) and at least as good as in both; cheapest first."""

    def beaten(point: tuple[float, float]) -> bool:
        return any(other[0] <= point[0] and other[1] <= point[1] and other != point for other in points.values())

    return tuple(name for name, point in sorted(points.items(), key=lambda item: item[1]) if not beaten(point))


def _tradeoff(run: Run, cost: str, label: str, cost_of: Callable[[Row], float | None], lacking: str) -> Tradeoff:
    costs = {row.name: cost_of(row) for row in run.rows}
    rows = [row for row in run.rows if costs[row.name] and row.verdict.drop is not None]
    absent = tuple(
        f"{row.name} ({'no loss is known' if costs[row.name] else lacking})" for row in run.rows if row not in rows
    )
    title = f"{run.loss} against {cost}".capitalize()
    if len(rows) < 2:
        return Tradeoff(title, None, (), absent)
    front = pareto_front({row.name: (costs[row.name] or 0.0, row.verdict.drop or 0.0) for row in rows})
    points = [_point(run, row, costs[row.name] or 0.0, row.name in front) for row in rows]
    words = f"{title}. " + "; ".join(f"{point.name}: {point.cost:,.4g}, {point.loss:+.3g}" for point in points)
    axes = (label, f"{run.loss}, {run.unit.name.strip() or 'in its own unit'}".capitalize())
    chart = tradeoff(cost, points, run.unit.factor * _allowed(run), axes, run.style, words)
    return Tradeoff(title, chart, front, absent, _hosts(rows) if cost == "latency" else "")


def _allowed(run: Run) -> float:
    """The allowed loss in the metric's unit; a relative one is a share of the baseline's value."""
    policy, baseline = run.policy, run.result.baseline.value or 0.0
    return policy.max_drop * (abs(baseline) if policy.drop == "relative" else 1.0)


def _point(run: Run, row: Row, cost: float, front: bool) -> Point:
    verdict, factor = row.verdict, run.unit.factor
    low, high = (None if end is None else factor * end for end in (verdict.drop_low, verdict.drop_high))
    return Point(row.name, cost, factor * (verdict.drop or 0.0), low, high, row.state, front, row.selected)


def _hosts(rows: Sequence[Row]) -> str:
    """Where the latencies were measured; several hosts cannot be compared."""
    found = [row.benchmark for row in rows if row.benchmark]
    hosts = sorted({benchmark.host for benchmark in found})
    if len(hosts) == 1:
        shown = next((benchmark for benchmark in found if benchmark.noisy), found[0])
        return f"Measured {benchmark_conditions(shown)}; one thread."
    return f"Measured on several hosts ({', '.join(hosts)}): these latencies cannot be compared."
