"""What is said below the table: why variants did not pass, what is odd, what came of it, and where to look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from litegate.cli.outcome import Outcome
from litegate.cli.screen import say, screen
from litegate.cli.table import print_table
from litegate.gate.outcome import run_outcome
from litegate.presentation.devices import judged_on
from litegate.presentation.footprints import claims
from litegate.presentation.latencies import latencies
from litegate.presentation.shared_confidence import shared_confidence
from litegate.records import Champion, Comparison, RunResult, VariantRow, nothing_passed, stands
from litegate.stack import Home, Stack

__all__ = ["not_counted", "print_outcome", "reasons"]

_WORST_CLASSES = 3
_LEFT_TO_THE_CPU = ("edgetpu_operators", "left on the CPU")
"""How warnings about that begin."""
_BUILDING = ("quantize", "calibrate", "inspect", "smoke")
"""Steps of which a file comes out; those after them measure it."""


def print_outcome(outcome: Outcome, registry: str, stack: Stack, home: Home, airflow_page: str) -> None:
    """Print the table, the verdict, and the pages that tell more."""
    console, result = screen(), outcome.result
    if result is not None:
        champion = outcome.champion
        print_table(console, result, (champion.variant, champion.digest) if champion else None)
        for line in reasons(result):
            say(console, line)
    for line in (*_summary(outcome, registry), *_pages(result, stack, home, airflow_page)):
        say(console, line)


def reasons(result: RunResult | Comparison) -> list[str]:
    """Why what did not pass did not, what a verdict does not cover, how fast files are, and what is odd."""
    rows = [row for row in result.variants if row.verdict not in ("passed", "baseline") or row.rare]
    lines = [line for row in rows for line in (_sentence(row), *_worst_classes(row), *_worst_slices(row))]
    lines += [f"{row.variant}: {row.on_target}" for row in result.variants if row.on_target]
    lines += [f"{row.variant}: {row.recovered}" for row in result.variants if row.recovered]
    lines += [f"{row.variant}: {row.fine_tuned}" for row in result.variants if row.fine_tuned]
    lines += result.not_made
    lines += [f"warning: {row.variant}: {each}" for row in result.variants for each in _of_target(row)]
    lines += (*judged_on(result.variants), *claims(result.variants), *latencies(result.variants))
    lines += shared_confidence(result.confidence, [row.confidence for row in result.variants])
    lines += [f"warning: {warning}" for warning in result.warnings]
    return lines + [""] * bool(lines)


def not_counted(rows: Sequence[VariantRow], required: Sequence[str] = ()) -> list[str]:
    """What variants that failed mean for others that passed: nothing, if they are not among those that have to."""
    passed = ", ".join(row.variant for row in rows if row.outcome == "passed")
    failed: dict[str, list[str]] = {}
    for row in rows if passed else ():
        if row.outcome == "failed" and row.variant not in required:
            failed.setdefault(_built_or_measured(row), []).append(row.variant)
    return [
        f"{', '.join(names)} could not be {step}; that does not count against {passed}"
        for step, names in failed.items()
    ]


def _built_or_measured(row: VariantRow) -> str:
    step = row.reasons[0].partition(" ")[0] if row.reasons else ""
    return "built" if step in _BUILDING else "measured"


def _of_target(row: VariantRow) -> list[str]:
    """What an accelerator would leave to the CPU of a file that passed: an accelerated file is what people expect."""
    return [each for each in row.warnings if row.verdict == "passed" and each.startswith(_LEFT_TO_THE_CPU)]


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


def _summary(outcome: Outcome, registry: str) -> Iterator[str]:
    rows = () if outcome.result is None else outcome.result.variants
    yield from not_counted(rows, outcome.required)
    champion, selected = (_named(version) for version in (outcome.champion, outcome.selected))
    match outcome.outcome:
        case "promoted":
            yield f"promoted: {registry} {champion}"
        case "pending_approval" | "blocked":
            now = f"{champion} is champion" if outcome.champion else "there is no champion"
            said = outcome.outcome.replace("_", " ")
            yield f"{said}: {registry} {selected} passed the gate, but {now}: {outcome.why}"
        case "override_run":
            passed = [row.variant for row in rows if row.outcome == "passed"]
            yield f"override run: {', '.join(passed) or 'nothing'} passed the gate, and nothing is promoted"
        case "rejected" | "undecided":
            yield f"{outcome.outcome}: {nothing_passed(outcome.outcome, rows)}"
    yield from _required(outcome, rows)


def _required(outcome: Outcome, rows: Sequence[VariantRow]) -> Iterator[str]:
    """Why the exit code is another one than the outcome's."""
    missing = [row for row in rows if row.variant in outcome.required and row.outcome != "passed"]
    if missing:
        found = run_outcome({row.variant: row.outcome for row in missing}, [row.variant for row in missing])
        yield f"{found}: {', '.join(f'{row.variant} must pass and {stands(row)}' for row in missing)}"


def _named(version: Champion | None) -> str:
    return "" if version is None else f"version {version.version} ({version.variant})"


def _pages(result: RunResult | None, stack: Stack, home: Home, airflow_page: str) -> list[str]:
    lines = [f"Airflow:  {airflow_page}", f"          log in as admin, the password is in {home.password_file}"]
    if result is not None:
        page = f"#/experiments/{result.experiment_id}/runs/{result.mlflow_run_id}?workflowType=machine_learning"
        lines.append(f"MLflow:   {stack.mlflow_url}/{page}")
        lines.append(f"Report:   {result.report}")
    return lines
