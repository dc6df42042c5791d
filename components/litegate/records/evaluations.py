"""What one pass over the evaluation data came to, by variant."""

from __future__ import annotations

from litegate.records.base import Record
from litegate.records.evaluation import Evaluated
from litegate.records.verdicts import Failure

__all__ = ["Evaluations"]


class Evaluations(Record):
    """The outcomes of the variants that were evaluated, and why others were not; a variant is in one of the two."""

    done: tuple[Evaluated, ...] = ()
    failures: tuple[Failure, ...] = ()
