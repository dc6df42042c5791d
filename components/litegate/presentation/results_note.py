"""All variants side by side, as Markdown: in MLflow, and where a person is asked to accept a version."""

from __future__ import annotations

from collections.abc import Sequence

from litegate.presentation import wording
from litegate.presentation.latencies import latencies
from litegate.presentation.markdown import number, plain, table
from litegate.records import BaselineSummary, VariantRow, Verdict

__all__ = ["headline", "results"]


def results(baseline: BaselineSummary, rows: Sequence[VariantRow]) -> str:
    """All variants as a table, then the verdict on each in one sentence."""
    loss = "Drop" if baseline.higher_is_better else "Loss"
    metric = plain(wording.short_name(baseline.metric))
    unit = wording.unit_of(baseline.percent).name.strip()
    named = f"{loss}, {unit}" if unit else loss
    heads = ("Variant", "Verdict", metric, named, "At least", "At most", "Samples", "KiB", "Of float32", "ms")
    sentences = "\n".join(f"- {plain(line)}" for line in (*map(headline, rows), *latencies(rows)))
    return f"{table(heads, 2, [_cells(row, baseline) for row in rows])}\n\n{sentences}"


def headline(found: VariantRow | Verdict) -> str:
    """The one sentence that says it all."""
    if found.sentence:
        return found.sentence
    state = found.verdict if isinstance(found, VariantRow) else found.state
    return f"{found.variant} {state}"


def _cells(row: VariantRow, baseline: BaselineSummary) -> tuple[str, ...]:
    unit = wording.unit_of(baseline.percent)
    drops = (row.drop, row.drop_low, row.drop_high)
    return (
        row.variant,
        row.verdict,
        "" if row.value is None else wording.value(row.value, baseline.percent),
        *("" if drop is None else unit.number(drop, sign="+") for drop in drops),
        f"{row.samples:,}" if row.samples else "",
        number(row.bytes and row.bytes / 1024, ".1f"),
        number(row.bytes and 100 * row.bytes / baseline.bytes, ".0f", " %"),
        "" if row.latency_ms is None else wording.milliseconds(row.latency_ms),
    )
