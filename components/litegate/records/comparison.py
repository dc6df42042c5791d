"""What a comparison without MLflow came to."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path

from litegate.records.answers import nothing_passed, stands
from litegate.records.base import Record
from litegate.records.results import BaselineSummary, VariantRow
from litegate.records.verdicts import RunOutcome

__all__ = ["Comparison"]


class Comparison(Record):
    """The variants of one model against its float32 baseline.

    Attributes:
        model: its name in the spec.
        outcome: `passed`: a variant passed, or each that had to; else why not: `rejected`, `undecided` or `failed`.
        selected: the variant that the spec's rule picks of those that passed; None where none did.
        file: path of its file.
        why: how it came to that.
        may_ship: the variants that passed, but for those whose bytes failed under another name.
        required: the variants that had to pass; if there are none, any does.
        baseline: the numbers that the variants are compared with.
        variants: one row each, the baseline's first; `uri` is the path of its file.
        confidence: of the policy: that what passes keeps every limit, whatever the number of variants.
        warnings: what is odd about the data that all of this rests on.
        not_made: which files were not needed, and why, as sentences.
        not_tested: what of the policy was not tested, and why.
        report: path of the page that shows all of it.
        folder: where the files are.
    """

    model: str
    outcome: RunOutcome
    selected: str | None
    file: str | None
    why: str
    may_ship: tuple[str, ...]
    required: tuple[str, ...] = ()
    baseline: BaselineSummary
    variants: tuple[VariantRow, ...]
    confidence: float | None = None
    warnings: tuple[str, ...] = ()
    not_made: tuple[str, ...] = ()
    not_tested: tuple[str, ...] = ()
    report: str
    folder: str

    @property
    def passed(self) -> bool:
        """Whether what had to pass did."""
        return self.outcome == "passed"

    @property
    def answer(self) -> str:
        """What is to be shipped, or why nothing is, in a few words."""
        missing = [row for row in self.variants if row.variant in self.required and row.variant not in self.may_ship]
        if missing:
            return ", ".join(f"{row.variant} must pass and {stands(row)}" for row in missing)
        return nothing_passed(self.outcome, self.variants) if self.selected is None else f"ship {self.selected}"

    def _repr_html_(self) -> str:
        """The answer and the table, as a notebook shows them."""
        loss = "drop" if self.baseline.higher_is_better else "loss"
        head = _row("th", ("variant", "verdict", self.baseline.metric, loss, "bytes", "latency, ms"))
        rows = "".join(_row("td", _cells(row)) for row in self.variants)
        report = f'<a href="{escape(Path(self.report).as_uri())}">the report</a>'
        return f"<p><b>{escape(f'{self.model}: {self.answer}')}</b>, {report}</p><table>{head}{rows}</table>"


def _row(kind: str, cells: Iterable[str]) -> str:
    return f"<tr>{''.join(f'<{kind}>{escape(cell)}</{kind}>' for cell in cells)}</tr>"


def _cells(row: VariantRow) -> tuple[str, ...]:
    numbers = (row.value, row.drop)
    size, latency = "-" if row.bytes is None else f"{row.bytes:,}", row.latency_ms
    return (row.variant, row.verdict, *map(_number, numbers), size, _number(latency))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
