"""Clean: remove what no registered version, ledger or recent run needs."""

from __future__ import annotations

from typing import Any

from typing_extensions import override

from litegate.errors import SpecError
from litegate.presentation.run_notes import of_cleaning
from litegate.records import LEAST_DAYS, Cleaned, CleanRequest
from litegate.settings import settings
from litegate_airflow.operators.step import StepOperator
from litegate_airflow.runtime.run_records import RunRecords

__all__ = ["CleanOperator"]


class CleanOperator(StepOperator):
    """Returns a `Cleaned`.

    Args:
        days: what was used within so many stays; a template.
        apply: whether to delete rather than to say what would be deleted; a template.
    """

    kind = ()
    step = "clean"
    template_fields = ("days", "apply")

    def __init__(self, *, days: int | str, apply: bool | str, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.days, self.apply = days, apply

    @override
    def said(self, result: Cleaned, records: RunRecords) -> str:
        return of_cleaning(result)

    @override
    def request(self, records: RunRecords) -> CleanRequest:
        days, places = int(self.days), settings()
        if days < LEAST_DAYS:
            raise SpecError("days", f"{LEAST_DAYS} or more", str(days))
        return CleanRequest(
            workspace=places.workspace,
            cache=str(places.cache),
            scratch=str(places.scratch),
            days=days,
            apply=str(self.apply) == "True",
        )
