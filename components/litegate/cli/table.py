"""The result as people read it: one row for each variant, then what was promoted and where to look."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from litegate.cli.outcome import Outcome
from litegate.presentation import wording
from litegate.presentation.latencies import latencies
from litegate.records import BaselineSummary, Champion, Comparison, RunResult, VariantRow
from litegate.stack import Home, Stack
from litegate.variants import BASELINE

__all__ = ["PLAIN_WIDTH", "print_outcome", "print_table", "reasons"]

PLAIN_WIDTH, _ANY_WIDTH = 120, 1000
_LEFT_OUT_FIRST = ("samples", "size", "latency ms", "bytes", "clusters")
_WORST_CLASSES = 3
_STYLES = {"passed": "green", "failed": "red", "inconclusive": "yellow", "baseline": "dim"}


def print_outcome(outcome: Outcome, registry: str, stack: Stack, home: Home, airflow_page: str) -> None:
    """Print the table, the verdict, and the pages that tell more."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=PLAIN_WIDTH)
    result = outcome.result
    if result is not None:
        champion = outcome.champion
        print_table(console, result, (champion.variant, champion.digest) if champion else None)
    for line in (*reasons(result), *_summary(outcome, registry), *_pages(result, stack, home, airflow_page)):
        console.print(Text(line), soft_wrap=True)


def print_table(console: Console, result: RunResult | Comparison, chosen: tuple[str, str | None] | None) -> None:
    """The measured variants. Whole columns are left out where a terminal is narrow: half a number says nothing.

    Args:
        chosen: the variant that is marked and its digest, if any is.
    """
    for count in range(len(_LEFT_OUT_FIRST) + 1):
        table = _table(result, chosen, _LEFT_OUT_FIRST[:count])
        if Measurement.get(console, console.options.update(max_width=_ANY_WIDTH), table).maximum <= console.width:
            break
    console.print(table)
    if count:
        console.print(Text(f"a wider terminal shows {', '.join(_LEFT_OUT_FIRST[:count])} as well", "dim"))


def _table(result: RunResult | Comparison, chosen: tuple[str, str | None] | None, without: Sequence[str] = ()) -> Table:
    """The measured variants against the baseline; the chosen one is marked.

    Args:
        without: names of columns that are left out.
    """
    metric = (wording.short_name(result.baseline.metric), _loss_head(result.baseline))
    clustered = any(row.clusters is not None for row in result.variants)
    counts = ("samples", *["clusters"] * clustered)
    names = ("variant", "bytes", "size", *metric, *counts, "latency ms", "verdict")
    kept = [index for index, name in enumerate(names) if name not in without]
    table = Table(box=box.SIMPLE_HEAD, title=f"{result.model}: the variants", title_justify="left")
    for name in (names[index] for index in kept):
        table.add_column(name, justify="left" if name in ("variant", "verdict") else "right", no_wrap=True)
    if BASELINE not in [row.variant for row in result.variants]:
        cells = _baseline_cells(result.baseline, clustered)
        table.add_row(*(cells[index] for index in kept))
    for row in result.variants:
        marked = chosen == (row.variant, row.digest)
        cells = _cells(row, result.baseline, marked, clustered)
        style = _STYLES.get(row.verdict, "")
        table.add_row(
            *(Text(cells[index], style if names[index] == "verdict" else "") for index in kept),
            style="bold" if marked else None,
        )
    return table


def _cells(row: VariantRow, baseline: BaselineSummary, marked: bool, clustered: bool) -> tuple[str, ...]:
    clusters = "-" if row.clusters is None else f"{row.clusters:,}"
    return (
        f"{'*' if marked else ' '} {row.variant}",
        "-" if row.bytes is None else f"{row.bytes:,}",
        "-" if row.bytes is None else f"{row.bytes / baseline.bytes:.0%}",
        _value(row.value, baseline),
        _loss(row, baseline),
        f"{row.samples:,}",
        *[clusters] * clustered,
        "-" if row.latency_ms is None else wording.milliseconds(row.latency_ms),
        row.verdict,
    )


def _value(value: float | None, baseline: BaselineSummary) -> str:
    return wording.value(value, baseline.percent).replace(" %", "%")


def _loss_head(baseline: BaselineSummary) -> str:
    loss = "drop" if baseline.higher_is_better else "loss"
    return f"{loss} in points (bounds)" if baseline.percent else f"{loss} (bounds)"


def _loss(row: VariantRow, baseline: BaselineSummary) -> str:
    if row.drop is None:
        return "-"
    unit = wording.unit_of(baseline.percent)
    bounds = ["-" if end is None else unit.number(end, sign="+") for end in (row.drop_low, row.drop_high)]
    return unit.number(row.drop, sign="+") + ("" if bounds == ["-", "-"] else f" ({', '.join(bounds)})")


def _baseline_cells(baseline: BaselineSummary, clustered: bool) -> tuple[str, ...]:
    size, value, samples = f"{baseline.bytes:,}", _value(baseline.value, baseline), f"{baseline.samples:,}"
    return (f"  {BASELINE}", size, "100%", value, "-", samples, *["-"] * clustered, "-", "baseline")


def reasons(result: RunResult | Comparison | None) -> list[str]:
    """Why what did not pass did not, what a verdict does not cover, and how fast files are; in full, a line each."""
    rows = [row for row in result.variants if row.verdict not in ("passed", "baseline") or row.rare] if result else []
    lines = [line for row in rows for line in (_sentence(row), *_worst_classes(row), *_worst_slices(row))]
    for line in latencies(result.variants) if result else []:
        lines += wrap(line, PLAIN_WIDTH, subsequent_indent="  ", break_on_hyphens=False)
    return lines + [""] * bool(lines)


def _sentence(row: VariantRow) -> str:
    return row.sentence or f"{row.variant} {row.verdict}: {'; '.join(row.reasons)}"


def _worst_classes(row: VariantRow) -> list[str]:
    """The classes that a failed variant is proved to lose, the worst first: a class's metric before and after."""
    lost = [loss for loss in row.classes if loss.proved][:_WORST_CLASSES] if row.verdict == "failed" else []
    found = (f"{loss.name} {loss.baseline:.3g} -> {loss.value:.3g} of {loss.samples:,}" for loss in lost)
    return [f"  most lost classes: {', '.join(found)}"] if lost else []


def _worst_slices(row: VariantRow) -> list[str]:
    """The slices that a variant is proved to lose more on than it may, the worst first."""
    lost = [loss for loss in row.slices if loss.state == "failed"][:_WORST_CLASSES]
    found = (f"{loss.name} {loss.baseline:.3g} -> {loss.value:.3g} of {loss.samples:,}" for loss in lost)
    return [f"  slices beyond the limit: {', '.join(found)}"] if lost else []


def _summary(outcome: Outcome, registry: str) -> list[str]:
    champion, selected = (_named(version) for version in (outcome.champion, outcome.selected))
    match outcome.outcome:
        case "promoted":
            return [f"promoted: {registry} {champion}"]
        case "pending_approval" | "blocked":
            now = f"{champion} is champion" if outcome.champion else "there is no champion"
            said = outcome.outcome.replace("_", " ")
            return [f"{said}: {registry} {selected} passed the gate, but {now}: {outcome.why}"]
        case "rejected":
            return ["rejected: nothing passed the gate"]
        case "override_run":
            rows = outcome.result.variants if outcome.result else ()
            passed = [row.variant for row in rows if row.verdict == "passed"]
            return [f"override run: {', '.join(passed) or 'nothing'} passed the gate, and nothing is promoted"]
        case "failed" | "under_way":
            return []


def _named(version: Champion | None) -> str:
    return "" if version is None else f"version {version.version} ({version.variant})"


def _pages(result: RunResult | None, stack: Stack, home: Home, airflow_page: str) -> list[str]:
    lines = [f"Airflow:  {airflow_page}", f"          log in as admin, the password is in {home.password_file}"]
    if result is not None:
        page = f"#/experiments/{result.experiment_id}/runs/{result.mlflow_run_id}?workflowType=machine_learning"
        lines.append(f"MLflow:   {stack.mlflow_url}/{page}")
        lines.append(f"Report:   {result.report}")
    return lines
