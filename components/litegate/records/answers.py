"""In a few words how variants stand, and why nothing ships."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from litegate.records.results import VariantRow
from litegate.records.verdicts import RunOutcome, VariantOutcome

__all__ = ["nothing_passed", "stands"]

_STANDS: Mapping[VariantOutcome, str] = MappingProxyType(
    {
        "baseline": "is the baseline",
        "passed": "passed",
        "rejected": "was rejected",
        "undecided": "is undecided",
        "failed": "could not be built or measured",
    }
)


def stands(row: VariantRow) -> str:
    """What became of a variant, after its name."""
    return _STANDS[row.outcome]


def nothing_passed(outcome: RunOutcome, rows: Sequence[VariantRow]) -> str:
    """Why nothing ships, by what the run came to."""
    open_ = [row.variant for row in rows if row.outcome == "undecided"]
    match outcome:
        case "failed":
            return "no variant could be built and measured"
        case "undecided":
            return f"nothing passed the gate, and {', '.join(open_)} {'is' if len(open_) == 1 else 'are'} undecided"
        case _:
            return "nothing passed the gate"
