"""Links from a task to what MLflow keeps of it.

There is nothing to link to before the run is registered. Airflow asks an operator for its links when the task ends,
and keeps what it says, each by a request; so the tasks before `register` have none by then, and it gives them theirs.
"""

from __future__ import annotations

import logging
import time
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.sdk import BaseOperator, BaseOperatorLink
from typing_extensions import override

from litegate.pipeline.tasks import EACH_RECOVERY, TASKS, Task, task_of
from litegate.records import RunResult, VariantRow
from litegate_airflow.runtime.connections import connected_as
from litegate_airflow.runtime.run_records import RunRecords
from litegate_airflow.runtime.wiring import Wiring
from litegate_airflow.runtime.xcom import TaskPlace, leave, recorded, registered_model
from litegate_airflow.ui.pages import mlflow_url

if TYPE_CHECKING:
    from airflow.sdk.types import RuntimeTaskInstanceProtocol, TaskInstanceKey

__all__ = [
    "ArtifactLink",
    "ReportLink",
    "RunLink",
    "VersionLink",
    "has_links",
    "link_tasks",
    "links_of",
]

log = logging.getLogger("litegate")

_RESTS, _LONGEST_REST = 3, 0.1
"""How many times as long as a request it rests after it, and for how many seconds at most."""

_REGISTERS = task_of("register")
_RECOVERS = task_of("quantize", EACH_RECOVERY)
_SHARD = task_of("evaluate_shard")


class MlflowLink(BaseOperatorLink):
    """A page in MLflow's user interface; empty, and then not shown, while there is none."""

    @abstractmethod
    def path(self, result: RunResult, row: VariantRow | None) -> str | None:
        """Of a registered run, for a task of the variant in `row`, or of the run as a whole; None if there is none."""

    @override
    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        result = _recorded(operator, ti_key)
        with connected_as(operator):
            return "" if result is None else self.page(result, getattr(operator, "variant", ""))

    def page(self, result: RunResult, variant: str) -> str:
        """The whole address."""
        row = next((row for row in result.variants if row.variant == variant), None)
        path = None if variant and row is None else self.path(result, row)
        return "" if path is None else mlflow_url(path)


class RunLink(MlflowLink):
    """The run of the task's variant; of a task that works for all of them their parent."""

    name = "MLflow run"

    @override
    def path(self, result: RunResult, row: VariantRow | None) -> str | None:
        run_id = result.mlflow_run_id if row is None else row.mlflow_run_id
        return run_id and f"experiments/{result.experiment_id}/runs/{run_id}"


class ReportLink(MlflowLink):
    """The page that answers which file to ship."""

    name = "Report"

    @override
    def path(self, result: RunResult, row: VariantRow | None) -> str | None:
        return f"experiments/{result.experiment_id}/runs/{result.mlflow_run_id}/artifacts/report.html"


class ArtifactLink(MlflowLink):
    """The variant's logged model, with the .tflite to download."""

    name = "Artifact"

    @override
    def path(self, result: RunResult, row: VariantRow | None) -> str | None:
        model_id = row.mlflow_model_id if row is not None else None
        return model_id and f"experiments/{result.experiment_id}/models/{model_id}/artifacts"


class VersionLink(BaseOperatorLink):
    """The registered version of what was selected."""

    name = "Model version"

    @override
    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        result, model = _recorded(operator, ti_key), _registered_model(operator, ti_key)
        if result is None or result.selected is None or model is None:
            return ""
        with connected_as(operator):
            return mlflow_url(f"models/{quote(model)}/versions/{result.selected.version}")


def links_of(does: Task) -> tuple[BaseOperatorLink, ...]:
    """The links of a task of a quantize run."""
    links: list[BaseOperatorLink] = [RunLink(), ReportLink()]
    if does.of:
        links.append(ArtifactLink())
    if TASKS.index(does) >= TASKS.index(_REGISTERS):
        links.append(VersionLink())
    return tuple(links)


def has_links(operator: BaseOperator, ti: RuntimeTaskInstanceProtocol) -> bool:
    """Whether the links of a task lead anywhere once it ends.

    Those of the task that registers do, and of all after it; of one before it, where it was cleared alone later.
    """
    key: Any = ti  # which has the ids of its key
    return bool(_wired(operator, _REGISTERS)) or (ti.try_number > 1 and _recorded(operator, key) is not None)


def link_tasks(ti: RuntimeTaskInstanceProtocol, result: RunResult) -> None:
    """Give all tasks before this one their links; a run is not failed for want of a link.

    Most of the time of Airflow's server is left to the task that follows, for which a run is waited for.
    """
    try:
        for place, variant, links in _earlier(ti):
            for link in links:
                began = time.monotonic()
                leave(place, link.xcom_key, link.page(result, variant))
                time.sleep(min(_RESTS * (time.monotonic() - began), _LONGEST_REST))
    except Exception as error:
        log.warning("the earlier tasks are not all linked to MLflow: %s: %s", type(error).__name__, error)


def _earlier(ti: RuntimeTaskInstanceProtocol) -> Iterator[tuple[TaskPlace, str, tuple[Any, ...]]]:
    """Each instance of each earlier task, its variant and its links; instances are in the order of expansion."""
    records, task = RunRecords(ti), ti.task
    names, recoveries = records.expanded(), records.resolved().spec.recoveries
    wiring: Wiring = task.wiring  # type: ignore[attr-defined]
    for does, task_id in ((does, each) for does, ids in wiring.ids.items() for each in ids if each != ti.task_id):
        links = tuple(link for link in links_of(does) if isinstance(link, MlflowLink))
        for map_index, variant in _instances(task.dag.get_task(task_id), does, names, recoveries):
            yield TaskPlace(ti.dag_id, str(ti.run_id), task_id, map_index), variant, links


def _instances(task: Any, does: Task, names: Sequence[str], recoveries: Sequence[str]) -> Iterable[tuple[int, str]]:
    """The map index and the variant of each."""
    if task.get_closest_mapped_task_group() is None:
        return [(-1, getattr(task, "variant", ""))]
    of: Sequence[str] = recoveries if does == _RECOVERS else names
    return enumerate([""] * getattr(task, "shards", 0) if does == _SHARD else of)


def _recorded(operator: BaseOperator, ti_key: TaskInstanceKey) -> RunResult | None:
    """The run that the task belongs to; its registering task comes before it, or after."""
    tasks = _wired(operator, _REGISTERS)
    if not tasks:
        later = {name for task in operator.get_flat_relatives() for name in _wired(task, _REGISTERS)}
        tasks = tuple(later) if len(later) == 1 else ()
    return recorded(ti_key.dag_id, ti_key.run_id, tasks[0]) if tasks else None


def _registered_model(operator: BaseOperator, ti_key: TaskInstanceKey) -> str | None:
    tasks = _wired(operator, task_of("resolve"))
    return registered_model(ti_key.dag_id, ti_key.run_id, tasks[0]) if tasks else None


def _wired(operator: Any, does: Task) -> tuple[str, ...]:
    wiring = getattr(operator, "wiring", None)
    return () if wiring is None else wiring.all(does)
