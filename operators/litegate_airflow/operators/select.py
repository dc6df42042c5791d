"""Select: which of the passed variants is the best by the spec's rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from litegate.pipeline.requests import selection_of
from litegate_airflow.operators.wired import WiredOperator
from litegate_airflow.runtime.failing import failures_reported
from litegate_airflow.runtime.run_records import RunRecords

if TYPE_CHECKING:
    from airflow.sdk import Context

__all__ = ["SelectOperator"]


class SelectOperator(WiredOperator):
    """Returns a `Selection`: a pure function of small records, so it needs no child process."""

    step = "select"

    @override
    def execute(self, context: Context) -> dict[str, Any]:
        records = RunRecords(context["ti"])
        with failures_reported(context["ti"], self.step):
            selection = selection_of(records)
        self.log.info("%s: %s", selection.variant, selection.why)
        return selection.to_json()
