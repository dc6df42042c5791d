"""What a comparison without MLflow came to."""

from __future__ import annotations

from typing import Literal

from litegate.records.base import Record
from litegate.records.results import BaselineSummary, VariantRow

__all__ = ["Comparison"]


class Comparison(Record):
    """The variants of one model against its float32 baseline.

    Attributes:
        model: its name in the spec.
        outcome: `passed`: a variant passed, or each that had to; else `rejected`.
        selected: the variant that the spec's rule picks of those that passed; None where none did.
        file: path of its file.
        why: how it came to that.
        may_ship: the variants that passed, but for those whose bytes failed under another name.
        required: the variants that had to pass; if there are none, any does.
        baseline: the numbers that the variants are compared with.
        variants: one row each, the baseline's first; `uri` is the path of its file.
        warnings: what is odd about the data that all of this rests on, and what of the spec was not tested.
        report: path of the page that shows all of it.
        folder: where the files are.
    """

    model: str
    outcome: Literal["passed", "rejected"]
    selected: str | None
    file: str | None
    why: str
    may_ship: tuple[str, ...]
    required: tuple[str, ...] = ()
    baseline: BaselineSummary
    variants: tuple[VariantRow, ...]
    warnings: tuple[str, ...] = ()
    report: str
    folder: str

    @property
    def passed(self) -> bool:
        """Whether what had to pass did."""
        return self.outcome == "passed"
