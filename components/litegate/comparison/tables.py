"""A comparison as Markdown for a pull request, and as JUnit's XML for a CI server."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree

from litegate.presentation import wording
from litegate.presentation.devices import judged_on
from litegate.presentation.latencies import latencies
from litegate.presentation.markdown import plain, table
from litegate.presentation.results_note import headline
from litegate.presentation.shared_confidence import shared_confidence
from litegate.records import BaselineSummary, Comparison, VariantRow
from litegate.variants import BASELINE

__all__ = ["junit", "markdown"]


def markdown(comparison: Comparison) -> str:
    """The answer, a table of the variants, and why those that did not pass did not."""
    baseline = comparison.baseline
    unit = wording.unit_of(baseline.percent).name.strip()
    loss = "drop" if baseline.higher_is_better else "loss"
    heads = ("variant", "verdict", wording.short_name(baseline.metric), f"{loss}{f', {unit}' if unit else ''}", "size")
    rows = [_cells(row, comparison) for row in comparison.variants]
    parts = [f"### {plain(comparison.model)}: {plain(comparison.answer)}", table((*heads, "latency, ms"), 2, rows)]
    parts += [_listed(headline(row) for row in comparison.variants if row.verdict not in ("passed", "baseline"))]
    levels = [row.confidence for row in comparison.variants]
    parts += [
        _listed(
            (
                *judged_on(comparison.variants),
                *latencies(comparison.variants),
                *shared_confidence(comparison.confidence, levels),
            )
        )
    ]
    parts += [_listed(f"warning: {each}" for each in (*comparison.warnings, *comparison.not_tested))]
    return "\n\n".join(part for part in parts if part) + "\n"


def junit(comparison: Comparison) -> str:
    """A test case for each variant: what decides the outcome fails or passes, what does not and fails is skipped.

    The format is the one that Jenkins, GitLab and GitHub's actions read: https://github.com/testmoapp/junitxml
    """
    suite = ElementTree.Element("testsuite", name=f"litegate.{comparison.model}")
    counts = {"failure": 0, "skipped": 0}
    rows = [row for row in comparison.variants if row.verdict != "baseline"]
    for row in rows:
        case = ElementTree.SubElement(suite, "testcase", classname=f"litegate.{comparison.model}", name=row.variant)
        for line in latencies([row]):
            ElementTree.SubElement(case, "system-out").text = _printable(line)
        result = _result(row, comparison)
        if result is not None:
            counts[result] += 1
            ElementTree.SubElement(case, result, message=_printable(headline(row)))
    suite.attrib |= {"tests": str(len(rows)), "failures": str(counts["failure"]), "skipped": str(counts["skipped"])}
    ElementTree.indent(suite)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(suite, encoding="unicode")}\n'


def _result(row: VariantRow, comparison: Comparison) -> str | None:
    if row.variant in comparison.may_ship:
        return None
    decides = row.variant in comparison.required if comparison.required else not comparison.passed
    return "failure" if decides else "skipped"


def _cells(row: VariantRow, comparison: Comparison) -> tuple[str, ...]:
    baseline, name = comparison.baseline, f"`{row.variant}`"
    share = "" if row.bytes is None else f"{row.bytes:,} B ({100 * row.bytes / baseline.bytes:.0f} %)"
    return (
        f"**{name}**" if row.variant == comparison.selected else name,
        row.verdict,
        wording.value(row.value, baseline.percent),
        "" if row.variant == BASELINE else _loss(row, baseline),
        share,
        "" if row.latency_ms is None else wording.milliseconds(row.latency_ms),
    )


def _loss(row: VariantRow, baseline: BaselineSummary) -> str:
    unit = wording.unit_of(baseline.percent)
    if row.drop is None:
        return "-"
    most = "" if row.drop_high is None else f" (at most {unit.number(row.drop_high, sign='+')})"
    return unit.number(row.drop, sign="+") + most


def _listed(lines: Iterable[str]) -> str:
    return "\n".join(f"- {plain(line)}" for line in lines)


def _printable(text: str) -> str:
    """XML 1.0 has no place for control characters, not even escaped."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
