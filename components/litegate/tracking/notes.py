"""The Markdown that people read in MLflow: experiment, pipeline run, variant, model version."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping

from litegate.records import BaselineSummary, RunResult, VariantRow, Verdict

__all__ = ["experiment_note", "reasons", "run_note", "table", "variant_note"]

REASON_LIMIT = 240


def experiment_note(model: str) -> str:
    """What the experiment of a model is about."""
    return (
        f"Quantization of **{plain(model)}**: one run per pipeline run, with one child run and one logged model per "
        "variant. Every variant was measured on the same samples as the float32 baseline and judged by the gate; "
        "only a version whose verdict is *passed* may be promoted."
    )


def run_note(result: RunResult, why: str, links: Mapping[str, str]) -> str:
    """The outcome in one sentence, then the result table and where the run can be looked at."""
    if result.selected is None:
        verdict = f"**Rejected: nothing may be promoted**, for {plain(why)}."
    else:
        verdict = f"**Selected: {result.selected.variant}**, version {result.selected.version}: {plain(why)}."
    pages = " · ".join(f"[{plain(name.capitalize())}]({url})" for name, url in sorted(links.items()))
    return "\n\n".join(part for part in (verdict, table(result.baseline, result.variants), pages) if part)


def variant_note(verdict: Verdict) -> str:
    """The verdict of one variant, and why."""
    return "\n".join((f"**{verdict.state}**", "", *(f"- {plain(reason.message)}" for reason in verdict.reasons)))


def table(baseline: BaselineSummary, rows: tuple[VariantRow, ...]) -> str:
    """All variants as a Markdown table."""
    heads = ("Variant", "Verdict", baseline.metric, "Drop", "Drop at most", "KiB", "Of float32", "ms", "Why")
    rule = ("---", "---", *("---:" for _ in heads[2:-1]), "---")
    return "\n".join(_line(cells) for cells in (heads, rule, *(_cells(row, baseline) for row in rows)))


def reasons(verdict: Verdict) -> str:
    """All reasons on one line: code and sentence."""
    return "; ".join(f"{reason.code}: {reason.message}" for reason in verdict.reasons)


def plain(text: str) -> str:
    """`text` on one line, bounded, and without anything that Markdown or HTML would act on."""
    short = textwrap.shorten(text, REASON_LIMIT, placeholder=" ...")
    return re.sub(r"([\\`*\[\]|])", r"\\\1", short.replace("&", "&amp;").replace("<", "&lt;"))


def _cells(row: VariantRow, baseline: BaselineSummary) -> tuple[str, ...]:
    return (
        row.variant,
        row.verdict,
        _number(row.value, ".4f"),
        _number(row.drop, ".4f"),
        _number(row.drop_high, ".4f"),
        _number(row.bytes and row.bytes / 1024, ".1f"),
        _number(row.bytes and 100 * row.bytes / baseline.bytes, ".0f", " %"),
        _number(row.latency_ms, ".3g"),
        "" if row.verdict == "passed" else plain("; ".join(row.reasons)),
    )


def _number(value: float | None, style: str, unit: str = "") -> str:
    return "" if value is None else f"{value:{style}}{unit}"


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
