"""What came of a run, on one line: the note of its DAG run, and the reason of a rejection."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from litegate.presentation import wording
from litegate.presentation.results_note import headline
from litegate.records import Acted, Cleaned, Decided, Promotion, RunResult, VariantRow
from litegate.variants import BASELINE

__all__ = ["LIMIT", "of_action", "of_cleaning", "of_decision", "of_promotion", "of_rejection", "shortened"]

LIMIT = 1000
"""Characters that Airflow keeps of a note."""


def of_promotion(result: RunResult, promotion: Promotion) -> str:
    """`promoted v2 int8: it loses at most 0.85 points of top1 (2.00 allowed)`, or why it is not champion."""
    selected = promotion.selected
    row = next(row for row in result.variants if row.variant == selected.variant)
    what = f"v{selected.version} {selected.variant}: {headline(row).partition(': ')[2] or headline(row)}"
    match promotion.state:
        case "promoted":
            return f"promoted {what}"
        case "pending_approval":
            return f"passed, and its approval is pending: {what}"
        case "blocked":
            return f"passed, but not promoted ({promotion.why}): {what}"


def of_rejection(result: RunResult) -> str:
    """Which variants broke the policy, which are undecided, and which could not be built or measured."""
    rows = [row for row in result.variants if row.variant != BASELINE]
    return f"{result.outcome}: nothing passed the gate: {'; '.join(_rejected(rows))}"


def of_decision(decided: Decided) -> str:
    """`rolled back v3: v2 is champion`, and who decided why."""
    entry = decided.entry
    what = entry.decision.effect.replace("_", " ")
    version = "" if entry.decision.version is None else f" v{entry.decision.version}"
    now = "there is no champion" if entry.after is None else f"v{entry.after} is champion"
    return f"{what}{version}: {now} ({entry.decision.actor}: {entry.decision.why})"


def of_action(acted: Acted) -> str:
    """What a requalification came to."""
    return f"{acted.action.replace('_', ' ')}: {acted.why}"


def of_cleaning(cleaned: Cleaned) -> str:
    """How much was deleted, or would be."""
    unused = [pile for pile in cleaned.piles if pile.fate == "unused"]
    count, size = sum(pile.count for pile in unused), sum(pile.bytes for pile in unused)
    return f"{'deleted' if cleaned.applied else 'would delete'} {count:,} objects of {size:,} bytes"


def shortened(text: str) -> str:
    """As much as Airflow keeps."""
    return textwrap.shorten(text, LIMIT, placeholder=" ...")


def _rejected(rows: Iterable[VariantRow]) -> Iterator[str]:
    kinds: dict[str, list[str]] = {}
    for row in rows:
        kinds.setdefault(_kind(row), []).append(row.variant)
    return (f"{', '.join(names)} {kind}" for kind, names in kinds.items())


def _kind(row: VariantRow) -> str:
    match row.outcome:
        case "failed":
            return "could not be built or measured"
        case "undecided":
            return f"undecided ({wording.would_decide(row.needed, row.clusters)})"
        case outcome:
            return outcome
