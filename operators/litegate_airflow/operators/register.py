"""Register: the whole run to MLflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from litegate.pipeline.requests import register_request
from litegate.records import RegisterRequest, RunResult
from litegate_airflow.operators.step import StepOperator
from litegate_airflow.runtime.dag_run import origin
from litegate_airflow.runtime.lineage import sources, version
from litegate_airflow.runtime.run_records import RunRecords
from litegate_airflow.ui.links import link_tasks
from litegate_airflow.ui.pages import run_url

if TYPE_CHECKING:
    from airflow.sdk import Context

__all__ = ["RegisterOperator"]


class RegisterOperator(StepOperator):
    """Returns a `RunResult`; the run's key makes a second try record nothing twice.

    The earlier tasks are linked to their pages once this one has succeeded: nothing waits for that.
    """

    step = "register"

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.on_success_callback = [*self.on_success_callback, _link_earlier]
        self.result: RunResult | None = None
        self._registry = ""

    @override
    def request(self, records: RunRecords) -> RegisterRequest:
        ti = records.ti
        self.read, self._registry = sources(records.resolved()), records.channel().registry
        return register_request(records, records.run_key(), {"airflow": run_url(ti)}, origin(ti))

    @override
    def deliver(self, result: RunResult, context: Context) -> dict[str, Any]:
        self.result = result
        self.made = (version(self._registry, result.selected.version),) if result.selected else ()
        return result.to_json()


def _link_earlier(context: Context) -> None:
    task = context["task"]
    if isinstance(task, RegisterOperator) and task.result is not None:
        with task.connected():
            link_tasks(context["ti"], task.result)
