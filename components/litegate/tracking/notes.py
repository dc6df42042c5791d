"""The Markdown that people read in MLflow: experiment, pipeline run, variant, model version."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence

from litegate import wording
from litegate.records import (
    Aliases,
    BaselineSummary,
    Candidate,
    Channel,
    ClassLoss,
    Clause,
    LedgerEntry,
    Lint,
    RunResult,
    VariantRow,
    Verdict,
    warnings_of,
)

__all__ = [
    "EXPLANATION",
    "INSPECTION",
    "LINT",
    "VERDICT",
    "experiment_note",
    "headline",
    "ledger_note",
    "lint_note",
    "lint_warnings",
    "reasons",
    "results",
    "run_note",
    "variant_note",
]

EXPLANATION = "explanation"
"""Folder of a variant's artifacts that say more than its note."""
LINT = "lint.json"
"""The parent run's artifact with all that was found about the representative samples."""
INSPECTION = "inspection.json"
"""A variant's artifact with all that was read from its file's bytes, and its smoke run."""
VERDICT = "verdict.json"
"""A variant's artifact with the gate's whole answer; a version may be promoted only if its run has it."""
REASON_LIMIT = 240
LEDGER_ROWS = 15


def experiment_note(model: str) -> str:
    """What the experiment of a model is about."""
    return (
        f"Quantization of **{plain(model)}**: one run per pipeline run, with one child run and one logged model per "
        "variant. Every variant was measured on the same samples as the float32 baseline and judged by the gate; "
        "only a version whose verdict is *passed* may be promoted."
    )


def run_note(result: RunResult, why: str, links: Mapping[str, str]) -> str:
    """The outcome in one sentence, then the results and where the run can be looked at."""
    if result.outcome == "trial":
        verdict = f"**By these values**: {plain(why)}."
    elif result.selected is None:
        verdict = f"**Rejected: nothing may be promoted**, for {plain(why)}."
    else:
        verdict = f"**Selected: {result.selected.variant}**, version {result.selected.version}: {plain(why)}."
    pages = " · ".join(f"[{plain(name.capitalize())}]({url})" for name, url in sorted(links.items()))
    return "\n\n".join(part for part in (verdict, results(result.baseline, result.variants), pages) if part)


def variant_note(verdict: Verdict, candidate: Candidate | None = None) -> str:
    """The verdict of one variant in one sentence, then what it rests on, and what is odd about its file."""
    parts = (
        f"**{plain(headline(verdict))}**",
        "\n".join(f"- {plain(reason.message)}" for reason in verdict.reasons),
        _clauses(verdict.clauses),
        _classes(verdict.classes),
        _flips(verdict),
        _file(candidate) if candidate else "",
    )
    return "\n\n".join(part for part in parts if part)


def lint_note(lint: Lint) -> str:
    """What is odd about the calibration data, a line for each finding; nothing where all is well."""
    lines = [f"- Calibration: {finding.code}: {plain(finding.message)}" for finding in lint.findings]
    return "\n\n" + "\n".join([*lines, "", f"(artifact `{LINT}`)"]) if lines else ""


def lint_warnings(lint: Lint) -> str:
    """How many findings there are, and their codes."""
    codes = ", ".join(sorted({finding.code for finding in lint.findings}))
    return f"{len(lint.findings)}: {codes}" if codes else "0"


def results(baseline: BaselineSummary, rows: Sequence[VariantRow]) -> str:
    """All variants as a table, then the verdict on each in one sentence."""
    loss = "Drop" if baseline.higher_is_better else "Loss"
    metric = plain(wording.short_name(baseline.metric))
    heads = ("Variant", "Verdict", metric, loss, f"{loss} at most", "KiB", "Of float32", "ms")
    sentences = "\n".join(f"- {plain(headline(row))}" for row in rows)
    return f"{_table(heads, 2, [_cells(row, baseline) for row in rows])}\n\n{sentences}"


def ledger_note(channel: Channel, now: Aliases, entries: Sequence[LedgerEntry]) -> str:
    """Who is champion of a channel, and the latest entries of its ledger, the last one first."""
    states = [f"{name}: **{'none' if version is None else f'version {version}'}**" for name, version in now]
    heads = ("When", "What", "Version", "Who", "Why", "Champion")
    rows = [
        (
            entry.time[:19].replace("T", " "),
            entry.decision.action.replace("_", " "),
            "" if entry.decision.version is None else str(entry.decision.version),
            plain(textwrap.shorten(entry.decision.actor, 80)),
            plain(textwrap.shorten(entry.decision.why, 120)),
            str(entry.after) if entry.before == entry.after else f"{entry.before} → {entry.after}",
        )
        for entry in reversed(entries[-LEDGER_ROWS:])
    ]
    shown = "" if len(entries) <= LEDGER_ROWS else f"\n\nThe last {LEDGER_ROWS} of {len(entries)} entries."
    return f"**{plain(str(channel))}**: {', '.join(states)}\n\n{_table(heads, len(heads), rows)}{shown}"


def headline(found: VariantRow | Verdict) -> str:
    """The one sentence that says it all."""
    if found.sentence:
        return found.sentence
    state = found.verdict if isinstance(found, VariantRow) else found.state
    return f"{found.variant} {state}"


def reasons(verdict: Verdict) -> str:
    """All reasons on one line: code and sentence."""
    return "; ".join(f"{reason.code}: {reason.message}" for reason in verdict.reasons)


def plain(text: str) -> str:
    """`text` on one line, bounded, and without anything that Markdown or HTML would act on."""
    short = textwrap.shorten(text, REASON_LIMIT, placeholder=" ...")
    return re.sub(r"([\\`*\[\]|])", r"\\\1", short.replace("&", "&amp;").replace("<", "&lt;"))


def _cells(row: VariantRow, baseline: BaselineSummary) -> tuple[str, ...]:
    style = ".4f" if baseline.percent else ".4g"
    return (
        row.variant,
        row.verdict,
        _number(row.value, style),
        _number(row.drop, style),
        _number(row.drop_high, style),
        _number(row.bytes and row.bytes / 1024, ".1f"),
        _number(row.bytes and 100 * row.bytes / baseline.bytes, ".0f", " %"),
        _number(row.latency_ms, ".3g"),
    )


def _clauses(clauses: Sequence[Clause]) -> str:
    """What the policy asks for, as it was tested."""
    rows = [
        (
            clause.name,
            plain(clause.subject),
            clause.state,
            *(_number(number, ".4g") for number in (clause.estimate, clause.low, clause.high, clause.limit)),
            f"{clause.samples:,}",
            "" if clause.needed is None else f"{clause.needed:,}",
        )
        for clause in clauses
    ]
    heads = ("Clause", "Of", "State", "Found", "At least", "At most", "Allowed", "Samples", "Would decide")
    return _table(heads, 3, rows) if rows else ""


def _classes(classes: Sequence[ClassLoss]) -> str:
    """The classes that lost most."""
    rows = [
        (
            plain(loss.name),
            *(_number(number, ".4g") for number in (loss.baseline, loss.value, loss.drop, loss.low, loss.high)),
            f"{loss.samples:,}",
            "yes" if loss.proved else "",
        )
        for loss in classes
    ]
    heads = ("Class", "Float32", "Variant", "Lost", "At least", "At most", "Samples", "Proved")
    return _table(heads, 1, rows) if rows else ""


def _flips(verdict: Verdict) -> str:
    found = f"{verdict.flipped:,} of {verdict.samples:,} samples flipped" if verdict.samples else ""
    agreement = "" if verdict.agreement is None else f"; the same answer on {100 * verdict.agreement:.2f} %"
    files = f" (artifacts in `{EXPLANATION}/`)" if verdict.explanation else ""
    return f"{found}{agreement}{files}." if found and verdict.state != "baseline" else ""


def _file(candidate: Candidate) -> str:
    """What the file is by its bytes, then its warnings."""
    found = candidate.inspection
    if found is None:
        return ""
    heavy = f"{100 * found.float_share:.3g} % of {found.macs:,} multiply-accumulates in float"
    what = (
        f"The file is **{plain(found.scheme)}**: {found.operator_count} operators, {heavy} (artifact `{INSPECTION}`)."
    )
    warnings = [f"- Warning: {plain(warning)}" for warning in warnings_of(found, candidate.smoke)]
    return "\n".join([what, *([""] if warnings else []), *warnings])


def _number(value: float | None, style: str, unit: str = "") -> str:
    return "" if value is None else f"{value:{style}}{unit}"


def _table(heads: Sequence[str], texts: int, rows: Sequence[Sequence[str]]) -> str:
    """Markdown; the first `texts` columns hold text, all others numbers."""
    rule = ["---" if column < texts else "---:" for column in range(len(heads))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, rule, *rows))
