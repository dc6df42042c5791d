"""Look up cached results: what earlier runs have found is not computed again, and takes no slot of a pool."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import TriggerRule
from airflow.sdk.bases.skipmixin import SkipMixin
from airflow.sdk.exceptions import AirflowSkipException
from typing_extensions import override

from litegate.errors import StepFailed
from litegate.failures import FailureKind
from litegate.pipeline.tasks import EACH, LOOKUP_CACHE
from litegate_airflow.operators.gate import GateOperator
from litegate_airflow.operators.step import StepOperator, VariantOperator
from litegate_airflow.operators.wired import WiredOperator
from litegate_airflow.runtime.failing import failures_reported
from litegate_airflow.runtime.run_records import RunRecords
from litegate_airflow.runtime.wiring import Wiring
from litegate_airflow.runtime.xcom import CACHED, RETURN_VALUE, Found

if TYPE_CHECKING:
    from airflow.sdk import Context
    from airflow.sdk.types import RuntimeTaskInstanceProtocol

__all__ = ["LookupCacheOperator"]


class LookupCacheOperator(WiredOperator, SkipMixin):
    """Returns the names of the variants that something is missing of; those are computed.

    It looks up what every task of the run between itself and the gate would come to. The results of a variant that
    is complete are under the XCom key `cached`. If nothing at all is missing, these tasks are skipped, and all
    results are under that key.
    """

    does = LOOKUP_CACHE

    @override
    def execute(self, context: Context) -> Sequence[str]:
        ti = context["ti"]
        with failures_reported(ti, self.does.id), self.connected():
            gate = self._gate()
            tasks = self._tasks(gate)
            search = _Search(ti, tasks)
            shared, missing = search.shared(), search.variants()
            complete = shared and not missing and search.of_all_variants()
            ti.xcom_push(CACHED, search.found if complete else search.of_complete_variants(missing))
            if complete:
                self.log.info("every result is there: the tasks from here to %s are skipped", gate.task_id)
                ti.xcom_push(RETURN_VALUE, missing)
                self.skip(ti, [task for task in tasks if self._skips(task)])  # raises a success
        self.log.info("to be computed: %s", ", ".join(missing) or "none of the variants, but what comes before them")
        return missing

    def _skips(self, task: StepOperator) -> bool:
        """Whether it would run unless it is skipped by name; others are, for what is before them is."""
        return task.task_id in self.downstream_task_ids or task.trigger_rule == TriggerRule.ALL_DONE

    def _gate(self) -> GateOperator:
        """The one that uses what is looked up here."""
        found = [
            task
            for task in self.get_flat_relatives(upstream=False)
            if isinstance(task, GateOperator) and self.task_id in task.wiring.all(LOOKUP_CACHE)
        ]
        if len(found) != 1:
            detail = f"{len(found)} gates come after the task {self.task_id} by their `upstream`, and not one"
            raise StepFailed(self.does.id, FailureKind.NO_RESULT, detail)
        return found[0]

    def _tasks(self, gate: GateOperator) -> list[StepOperator]:
        """The run's own between here and the gate, in an order in which they could run."""
        wired = {name for names in gate.wiring.ids.values() for name in names}
        between = self.get_flat_relative_ids() & gate.get_flat_relative_ids(upstream=True) & wired
        return [task for task in self.dag.topological_sort() if task.node_id in between]  # type: ignore[no-untyped-call]


class _Search(RunRecords):
    """The run's records as they would be: what tasks to come have left was left by an earlier try."""

    def __init__(self, ti: RuntimeTaskInstanceProtocol, tasks: Sequence[StepOperator]) -> None:
        self.found: Found = {}
        super().__init__(ti, self.found)
        self._tasks = tasks
        self._to_come = {task.task_id for task in tasks}
        self._known: dict[tuple[str, str], Any] = {}
        self._wiring = super().wiring

    @property
    @override
    def wiring(self) -> Wiring:
        """As the task knows it whose result is looked up."""
        return self._wiring

    def shared(self) -> bool:
        """Whether all that is done once for all variants, and before they are, is there."""
        return self._all_found(task for task in self._tasks if not _is_mapped(task) and not self._joins(task))

    def of_all_variants(self) -> bool:
        """Whether all that is done with the results of all variants is there; asked after `variants`."""
        return self._all_found(task for task in self._tasks if self._joins(task))

    def variants(self) -> list[str]:
        """The variants that something is missing of; asked after `shared`."""
        mapped = [task for task in self._tasks if _is_mapped(task)]
        names = self.resolved().spec.quantized_variants
        return [name for name in names if not all(self._find(task, name) for task in mapped)]

    def of_complete_variants(self, missing: Sequence[str]) -> Found:
        """What belongs to the other variants."""
        return {
            task: {
                key: {name: value for name, value in values.items() if name and name not in missing}
                for key, values in keys.items()
            }
            for task, keys in self.found.items()
        }

    def _joins(self, task: StepOperator) -> bool:
        """Whether it comes after mapped tasks."""
        mapped = {each.task_id for each in self._tasks if _is_mapped(each)}
        return not _is_mapped(task) and not mapped.isdisjoint(task.get_flat_relative_ids(upstream=True))

    def _all_found(self, tasks: Iterable[StepOperator]) -> bool:
        """Each is looked up, whatever was found of the others."""
        found = [self._find(task, _own_variant(task)) for task in tasks]
        return all(found)

    def _find(self, task: StepOperator, variant: str) -> bool:
        operator = task.of(variant) if variant and isinstance(task, VariantOperator) else task
        self._wiring = operator.wiring
        try:
            values = operator.lookup_cache(self)
        except AirflowSkipException:  # there is nothing to be found
            return True
        except StepFailed:  # what it needs is not there
            return False
        for key, value in (values or {}).items():
            self.found.setdefault(task.task_id, {}).setdefault(key, {})[variant] = value
        return values is not None

    @override
    def check_measured(self) -> None:
        """Nothing was measured yet; what is found was."""

    @override
    def _left(self, task_id: str, key: str = RETURN_VALUE, map_index: int = -1) -> Any | None:
        if task_id in self._to_come:
            return None
        if (task_id, key) not in self._known:
            self._known[task_id, key] = super()._left(task_id, key, map_index)
        return self._known[task_id, key]


def _own_variant(task: StepOperator) -> str:
    """The quantized variant that a task works on which is not mapped; empty if it works on none."""
    return task.variant if task.does is not None and task.does.of == EACH else ""


def _is_mapped(task: StepOperator) -> bool:
    return task.get_closest_mapped_task_group() is not None
