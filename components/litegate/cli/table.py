"""The result as people read it: one row for each variant, then what was promoted and where to look."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from litegate.cli.outcome import Outcome
from litegate.records import BaselineSummary, RunResult, VariantRow
from litegate.stack import Home, Stack
from litegate.variants import BASELINE

__all__ = ["print_outcome", "result_table"]

_PLAIN_WIDTH = 120


def print_outcome(outcome: Outcome, registry: str, stack: Stack, home: Home, airflow_page: str) -> None:
    """Print the table, the verdict, and the pages that tell more."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_PLAIN_WIDTH)
    result = outcome.result
    if result is not None:
        console.print(result_table(outcome, result))
    for line in (*_reasons(result), *_summary(outcome, registry), *_pages(result, stack, home, airflow_page)):
        console.print(Text(line), soft_wrap=True)


def result_table(outcome: Outcome, result: RunResult) -> Table:
    """The measured variants against the baseline; the champion is marked."""
    table = Table(box=box.SIMPLE_HEAD, title=f"{result.model}: the variants", title_justify="left")
    for name, justify in (("variant", "left"), ("bytes", "right"), ("size", "right")):
        table.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for name in (result.baseline.metric, "drop in points (bounds)", "samples", "latency ms"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    if BASELINE not in [row.variant for row in result.variants]:
        table.add_row(*_baseline_cells(result.baseline))
    for row in result.variants:
        champion = outcome.champion is not None and row.variant == outcome.champion.variant
        table.add_row(*map(Text, _cells(row, result.baseline, champion)), style="bold" if champion else None)
    return table


def _cells(row: VariantRow, baseline: BaselineSummary, champion: bool) -> tuple[str, ...]:
    return (
        f"{'*' if champion else ' '} {row.variant}",
        "-" if row.bytes is None else f"{row.bytes:,}",
        "-" if row.bytes is None else f"{row.bytes / baseline.bytes:.0%}",
        "-" if row.value is None else f"{row.value:.2%}",
        _drop(row),
        str(row.samples),
        "-" if row.latency_ms is None else f"{row.latency_ms:.3f}",
        row.verdict,
    )


def _drop(row: VariantRow) -> str:
    if row.drop is None:
        return "-"
    drop = f"{row.drop * 100:+.2f}"
    if row.drop_low is None or row.drop_high is None:
        return drop
    return f"{drop} ({row.drop_low * 100:+.2f}, {row.drop_high * 100:+.2f})"


def _baseline_cells(baseline: BaselineSummary) -> tuple[str, ...]:
    value = f"{baseline.value:.2%}"
    return (f"  {BASELINE}", f"{baseline.bytes:,}", "100%", value, "-", str(baseline.samples), "-", "baseline")


def _reasons(result: RunResult | None) -> list[str]:
    """Why what did not pass did not, a line each; in full, for this is what people act on."""
    rows = [row for row in result.variants if row.verdict not in ("passed", "baseline")] if result else []
    return [f"{row.variant} {row.verdict}: {'; '.join(row.reasons)}" for row in rows] + [""] * bool(rows)


def _summary(outcome: Outcome, registry: str) -> list[str]:
    if outcome.champion is not None:
        return [f"promoted: {registry} version {outcome.champion.version} ({outcome.champion.variant})"]
    return ["rejected: nothing passed the gate"] if outcome.outcome == "rejected" else []


def _pages(result: RunResult | None, stack: Stack, home: Home, airflow_page: str) -> list[str]:
    lines = [f"Airflow:  {airflow_page}", f"          log in as admin, the password is in {home.password_file}"]
    if result is not None:
        page = f"#/experiments/{result.experiment_id}/runs/{result.mlflow_run_id}?workflowType=machine_learning"
        lines.append(f"MLflow:   {stack.mlflow_url}/{page}")
    return lines
