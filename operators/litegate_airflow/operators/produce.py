"""Prepare data and train: tasks that run the user's code and make one object, which their outlets then announce."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from litegate.errors import SpecError
from litegate.records import Produced, ProduceRequest, TrainRequest
from litegate_airflow.operators.step import StepOperator
from litegate_airflow.runtime.run_records import RunRecords
from litegate_airflow.runtime.spec_files import SpecLike, SpecSource

if TYPE_CHECKING:
    from airflow.sdk import Context

__all__ = ["PrepareDataOperator", "TrainOperator"]


class _ProducingOperator(StepOperator):
    @override
    def deliver(self, result: Produced, context: Context) -> dict[str, Any]:
        """Tell whoever waits for the task's outlets which bytes are there now, and where."""
        for outlet in self.outlets:
            context["outlet_events"][outlet].extra = result.to_json()
        return result.to_json()


class PrepareDataOperator(_ProducingOperator):
    """Calls `package.module:function(folder, **arguments)` in the service environment; its file goes to `uri`."""

    kind = ()
    step = "prepare"
    template_fields = ("arguments", "uri")

    def __init__(
        self, *, entry_point: str, uri: str, arguments: dict[str, Any] | None = None, folder: str = "", **operator: Any
    ) -> None:
        super().__init__(**operator)
        self.entry_point, self.uri, self.arguments, self.folder = entry_point, uri, arguments or {}, folder

    @override
    def request(self, records: RunRecords) -> ProduceRequest:
        return ProduceRequest(entry_point=self.entry_point, folder=self.folder, arguments=self.arguments, uri=self.uri)


class TrainOperator(_ProducingOperator):
    """Runs the training of a spec, as the spec is when the task runs, in the lean TensorFlow environment."""

    kind = ()
    step = "train"

    def __init__(self, *, spec: SpecLike, folder: str | Path | None = None, **operator: Any) -> None:
        super().__init__(**operator)
        self.source = SpecSource.of(spec, folder)

    @override
    def request(self, records: RunRecords) -> TrainRequest:
        spec = self.source.read()
        if spec.retrain is None:
            raise SpecError(
                f"{self.source.path or spec.model.name}: retrain", "a function or a command that trains", "nothing"
            )
        return TrainRequest(retrain=spec.retrain, uri=spec.model.uri, folder=str(self.source.parent))
