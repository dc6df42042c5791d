"""What each slice loses in each variant, as a heat map: all samples with one value of a field are a slice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from litegate.presentation import wording
from litegate.records import SliceLoss
from litegate.report.classes import Cell, HeatMap, HeatRow, coloured
from litegate.report.run import Run

__all__ = ["slice_map"]

_SHOWN = 30


def slice_map(run: Run) -> HeatMap | None:
    """The slices that lost most first, of those that the verdicts carry; None where the spec names none."""
    by_variant = {row.name: {loss.name: loss for loss in row.verdict.slices} for row in run.measured}
    by_variant = {name: losses for name, losses in by_variant.items() if losses}
    if not by_variant:
        return None
    drops = {
        (variant, name): loss.drop or 0.0 for variant, losses in by_variant.items() for name, loss in losses.items()
    }
    worst = {name: max(drops.get((variant, name), 0.0) for variant in by_variant) for _, name in drops}
    scale = max(map(abs, drops.values())) or 1.0
    shown = sorted(worst, key=lambda name: (-worst[name], name))[:_SHOWN]
    return HeatMap(
        variants=tuple(by_variant),
        rows=tuple(_row(run, name, [losses.get(name) for losses in by_variant.values()], scale) for name in shown),
        rest=None,
        total=max(row.verdict.slice_count for row in run.measured),
        counted=f"{run.metric_name}{f', in{run.unit.name}' if run.unit.name else ''}",
    )


def _row(run: Run, name: str, losses: Sequence[SliceLoss | None], scale: float) -> HeatRow:
    samples = {loss.samples: f"{loss.samples:,}" for loss in losses if loss}
    unit = wording.unit_of(run.percent)
    return HeatRow(
        name=name,
        samples="\u2013".join(samples[count] for count in dict.fromkeys((min(samples), max(samples)))),
        cells=tuple(_cell(loss, unit, scale) for loss in losses),
    )


_STATES: Mapping[str, str] = {
    "passed": "proved to be within the limit",
    "failed": "proved to be beyond the limit",
    "inconclusive": "undecided",
    "rare": "too few samples to ask for a proof",
}


def _cell(loss: SliceLoss | None, unit: wording.Unit, scale: float) -> Cell:
    if loss is None or loss.drop is None:
        return Cell("")
    hint = f"{loss.baseline:.4g} to {loss.value:.4g} on {loss.samples:,} samples: {_STATES[loss.state]}"
    return coloured(loss.drop, unit, scale, loss.state == "failed", hint)
