"""Results of a run that one process makes from its beginning to its end."""

from __future__ import annotations

from typing import TypeVar

from typing_extensions import override

from litegate.errors import StepFailed
from litegate.failures import FailureKind
from litegate.pipeline.results import Results
from litegate.records import Failure, Record
from litegate.variants import BASELINE, CHAMPION, in_order

__all__ = ["ResultsInMemory"]

R = TypeVar("R", bound=Record)

_OTHERS = ("", BASELINE, CHAMPION)


class ResultsInMemory(Results):
    """Results by step and variant; several threads may add to them."""

    def __init__(self) -> None:
        self._records: dict[tuple[str, str], Record] = {}
        self._failures: dict[str, Failure] = {}

    def keep(self, step: str, variant: str, result: Record) -> None:
        """Add the result of a step."""
        self._records[step, variant] = result

    def keep_failure(self, failure: Failure) -> None:
        """Add why a variant goes no further."""
        assert failure.variant is not None
        self._failures[failure.variant] = failure

    @override
    def one(self, record: type[R], step: str, variant: str = "") -> R:
        result = self._records.get((step, variant))
        if result is None:
            raise StepFailed(
                step, FailureKind.NO_RESULT, f"the step {step} has no result{f' for {variant}' if variant else ''}"
            )
        assert isinstance(result, record)
        return result

    @override
    def all(self, record: type[R], step: str) -> tuple[R, ...]:
        """In the order in which litegate lists the variants, whichever was ready first."""
        quantized = in_order(variant for of, variant in self._records if of == step and variant not in _OTHERS)
        results = (self._records[step, variant] for variant in quantized)
        return tuple(result for result in results if isinstance(result, record))

    @override
    def failures(self) -> tuple[Failure, ...]:
        return tuple(self._failures[variant] for variant in in_order(self._failures))
