"""Results as Markdown: what people read in MLflow, and where they are asked to accept a version."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

from litegate import wording
from litegate.records import BaselineSummary, VariantRow, Verdict

__all__ = ["headline", "plain", "results", "table", "written"]

REASON_LIMIT = 240


def results(baseline: BaselineSummary, rows: Sequence[VariantRow]) -> str:
    """All variants as a table, then the verdict on each in one sentence."""
    loss = "Drop" if baseline.higher_is_better else "Loss"
    metric = plain(wording.short_name(baseline.metric))
    heads = ("Variant", "Verdict", metric, loss, f"{loss} at least", f"{loss} at most", "KiB", "Of float32", "ms")
    sentences = "\n".join(f"- {plain(headline(row))}" for row in rows)
    return f"{table(heads, 2, [_cells(row, baseline) for row in rows])}\n\n{sentences}"


def headline(found: VariantRow | Verdict) -> str:
    """The one sentence that says it all."""
    if found.sentence:
        return found.sentence
    state = found.verdict if isinstance(found, VariantRow) else found.state
    return f"{found.variant} {state}"


def plain(text: str) -> str:
    """`text` on one line, bounded, and without anything that Markdown or HTML would act on."""
    short = textwrap.shorten(text, REASON_LIMIT, placeholder=" ...")
    return re.sub(r"([\\`*\[\]|])", r"\\\1", short.replace("&", "&amp;").replace("<", "&lt;"))


def table(heads: Sequence[str], texts: int, rows: Sequence[Sequence[str]]) -> str:
    """Markdown; the first `texts` columns hold text, all others numbers."""
    rule = ["---" if column < texts else "---:" for column in range(len(heads))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, rule, *rows))


def written(value: float | None, style: str, unit: str = "") -> str:
    """A number in Python's format `style`; nothing where there is none."""
    return "" if value is None else f"{value:{style}}{unit}"


def _cells(row: VariantRow, baseline: BaselineSummary) -> tuple[str, ...]:
    style = ".4f" if baseline.percent else ".4g"
    return (
        row.variant,
        row.verdict,
        written(row.value, style),
        written(row.drop, style),
        written(row.drop_low, style),
        written(row.drop_high, style),
        written(row.bytes and row.bytes / 1024, ".1f"),
        written(row.bytes and 100 * row.bytes / baseline.bytes, ".0f", " %"),
        written(row.latency_ms, ".3g"),
    )
