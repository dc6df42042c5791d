"""The measured variants as a table: one row each, what matters most at the left."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import Console
from rich.text import Text

from litegate.cli.screen import Column, print_columns, say
from litegate.presentation import wording
from litegate.records import BaselineSummary, Comparison, RunResult, VariantRow
from litegate.variants import BASELINE

__all__ = ["print_table"]

_STYLES = {"passed": "green", "failed": "red", "inconclusive": "yellow", "baseline": "dim"}


def print_table(console: Console, result: RunResult | Comparison, chosen: tuple[str, str | None] | None) -> None:
    """The variants against the baseline.

    Args:
        chosen: the variant that is marked and its digest, if any is.
    """
    rows = list(result.variants)
    if BASELINE not in [row.variant for row in rows]:
        rows.insert(0, _baseline_row(result.baseline))
    marked = [number for number, row in enumerate(rows) if chosen == (row.variant, row.digest)]
    if console.is_terminal:
        console.print(Text(f"{result.model}: the variants", "italic"))
    left_out = print_columns(console, _columns(rows, result.baseline, marked), bold=marked)
    if left_out:
        say(console, f"a wider terminal also shows {', '.join(left_out)}", "dim")


def _columns(rows: Sequence[VariantRow], baseline: BaselineSummary, marked: Sequence[int]) -> list[Column]:
    """All columns; those that make up the answer have rank 0."""
    loss, unit = "drop" if baseline.higher_is_better else "loss", wording.unit_of(baseline.percent).name.strip()
    names = [f"{'*' if number in marked else ' '} {row.variant}" for number, row in enumerate(rows)]
    verdicts, styles = [row.verdict for row in rows], [_STYLES.get(row.verdict, "") for row in rows]

    def numbers(name: str, rank: int, text: Callable[[VariantRow], str]) -> Column:
        return Column(name, [text(row) for row in rows], rank, number=True)

    clusters = any(row.clusters is not None for row in rows)
    devices = any(row.on_device is not None for row in rows)
    return [
        Column("  variant", names),
        Column("verdict", verdicts, styles=styles),
        numbers(f"{loss}, {unit}" if unit else loss, 0, lambda row: _loss(row, baseline)),
        numbers("bounds", 1, lambda row: _bounds(row, baseline)),
        numbers("size", 0, lambda row: "-" if row.bytes is None else f"{row.bytes / baseline.bytes:.0%}"),
        numbers("bytes", 4, lambda row: "-" if row.bytes is None else f"{row.bytes:,}"),
        numbers(wording.short_name(baseline.metric), 2, lambda row: _value(row, baseline)),
        numbers("latency ms", 3, _latency),
        *[numbers("on device ms", 3, _on_device)] * devices,
        numbers("samples", 5, lambda row: f"{row.samples:,}"),
        *[numbers("clusters", 6, lambda row: "-" if row.clusters is None else f"{row.clusters:,}")] * clusters,
        *_footprints(rows),
    ]


def _footprints(rows: Sequence[VariantRow]) -> list[Column]:
    """What files take of a device that has them in its firmware; no columns for other targets."""
    found = [row.footprint for row in rows]
    known = [footprint for footprint in found if footprint is not None]
    estimated = any(footprint.estimated_by for footprint in known)

    def numbers(name: str, rank: int, key: str) -> Column:
        values = (None if footprint is None else getattr(footprint, key) for footprint in found)
        return Column(name, ["-" if value is None else f"{value:,}" for value in values], rank, number=True)

    kinds = ["-" if footprint is None else ", ".join(footprint.operators) for footprint in found]
    return [
        numbers("SRAM, estimated" if estimated else "arena", 7, "ram_bytes"),
        numbers("flash", 8, "flash_bytes"),
        *([numbers("on CPU", 3, "cpu_operators"), numbers("cycles, estimated", 9, "cycles")] if estimated else []),
        Column("operators", kinds, 10),
    ] * bool(known)


def _baseline_row(baseline: BaselineSummary) -> VariantRow:
    """The baseline's row, where a record has none."""
    nothing = dict.fromkeys(("drop", "drop_low", "drop_high", "latency_ms", "digest", "uri", "mlflow_run_id"))
    known = {"bytes": baseline.bytes, "value": baseline.value, "samples": baseline.samples, "reasons": ()}
    return VariantRow.model_validate(nothing | known | {"variant": BASELINE, "verdict": "baseline"})


def _value(row: VariantRow, baseline: BaselineSummary) -> str:
    return wording.value(row.value, baseline.percent).replace(" %", "%")


def _loss(row: VariantRow, baseline: BaselineSummary) -> str:
    if row.drop is None or row.verdict == "baseline":
        return "-"
    return wording.unit_of(baseline.percent).number(row.drop, sign="+")


def _bounds(row: VariantRow, baseline: BaselineSummary) -> str:
    unit, ends = wording.unit_of(baseline.percent), (row.drop_low, row.drop_high)
    if row.drop is None or row.verdict == "baseline" or ends == (None, None):
        return "-"
    low, high = ("-" if end is None else unit.number(end, sign="+") for end in ends)
    return f"{low} to {high}"


def _latency(row: VariantRow) -> str:
    return "-" if row.latency_ms is None else wording.milliseconds(row.latency_ms)


def _on_device(row: VariantRow) -> str:
    return "-" if row.on_device is None else wording.milliseconds(row.on_device.latency_ms)
