"""Prepare data and train: the tasks of a retrain DAG, each of which makes one object by the user's function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from litegate.records import Produced, ProduceRequest
from litegate_airflow.step import StepOperator
from litegate_airflow.xcom import RunRecords

if TYPE_CHECKING:
    from airflow.sdk import Context

__all__ = ["PrepareDataOperator", "TrainOperator"]


class _ProduceOperator(StepOperator):
    operator_extra_links = ()
    template_fields = ("arguments", "uri")

    def __init__(
        self, *, entry_point: str, uri: str, arguments: dict[str, Any] | None = None, folder: str = "", **operator: Any
    ) -> None:
        super().__init__(**operator)
        self.entry_point, self.uri, self.arguments, self.folder = entry_point, uri, arguments or {}, folder

    @override
    def request(self, records: RunRecords) -> ProduceRequest:
        return ProduceRequest(entry_point=self.entry_point, folder=self.folder, arguments=self.arguments, uri=self.uri)

    @override
    def deliver(self, result: Produced, context: Context) -> dict[str, Any]:
        """Tell whoever waits for the task's outlets which bytes are there now."""
        for outlet in self.outlets:
            context["outlet_events"][outlet].extra = {"digest": result.digest, "bytes": result.bytes}
        return result.to_json()


class PrepareDataOperator(_ProduceOperator):
    """Calls `package.module:function(folder, **arguments)` in the service environment; its file goes to `uri`."""

    step = "prepare"


class TrainOperator(_ProduceOperator):
    """The same in the lean TensorFlow environment; the file is a trained model."""

    step = "train"
