"""An operator that knows which tasks before it do what, whatever they are called."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import BaseOperator
from typing_extensions import override

from litegate.pipeline.tasks import EACH, TASKS, Task, task_of
from litegate_airflow.runtime.connections import connected
from litegate_airflow.runtime.lineage import Thing, operator_lineage
from litegate_airflow.runtime.wiring import Upstream, Wiring, tasks_in, waited_for
from litegate_airflow.ui.links import has_links, links_of

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage
    from airflow.sdk import Context

__all__ = ["WiredOperator"]


class WiredOperator(BaseOperator):
    """A task of one of litegate's kinds of runs; what it needs, it is given as `upstream`.

    Args:
        upstream: the tasks that this one waits for: operators, their output, task groups, or several of these. It
            uses their results and those of all that they themselves come after, under whatever ids.
        task_id: if not given, the one that the task has in litegate's own DAGs.
        aws_conn_id: Airflow connection for S3, in place of the `AWS_` variables of the worker's environment.
        mlflow_conn_id: Airflow connection for MLflow, in place of the `MLFLOW_TRACKING_` variables.
        signing_conn_id: Airflow connection whose password is the private key that versions and promotion logs are
            signed with, in place of `LITEGATE_SIGNING_KEY`.

    Raises:
        ValueError: `upstream` does not lead to all that the task needs; it names what is missing.

    Attributes:
        kind: the tasks of the kind of run that it belongs to; empty for one that stands alone.
        step: the step that it runs, or the first of several.
        variant: the variant that it works on; empty if it works for the run as a whole.
        wiring: which tasks of the DAG do what, this one among them.
        read, made: models and datasets that the task has read and made, once it has ended well; few tasks say so.
    """

    kind: ClassVar[Sequence[Task]] = TASKS
    step: ClassVar[str]
    variant: str = ""

    def __init__(
        self,
        *,
        upstream: Upstream = (),
        task_id: str = "",
        aws_conn_id: str | None = None,
        mlflow_conn_id: str | None = None,
        signing_conn_id: str | None = None,
        **arguments: Any,
    ) -> None:
        does = self.does
        if not task_id and does is None:
            raise TypeError("missing keyword argument 'task_id'")
        super().__init__(task_id=task_id or (does.name if does else ""), **arguments)
        self.aws_conn_id, self.mlflow_conn_id = aws_conn_id, mlflow_conn_id
        self.signing_conn_id = signing_conn_id
        self.read: tuple[Thing, ...] = ()
        self.made: tuple[Thing, ...] = ()
        self.wiring = Wiring.of(tasks_in(upstream), self.kind)
        if before := waited_for(upstream):
            self.set_upstream(before)
        if does is not None:
            self.wiring = self.wiring.with_task(does, self.task_id)
            self.doc_md = self.doc_md or does.page
            if does in TASKS:
                self.operator_extra_links = links_of(does)

    @override
    def pre_execute(self, context: Context) -> None:
        """Airflow is not to ask for links that lead nowhere yet: each costs it requests."""
        if self.operator_extra_links and not has_links(self, context["ti"]):
            self.operator_extra_links = ()

    def connected(self) -> AbstractContextManager[None]:
        """S3 and MLflow are reached, and versions signed, as the connections say, where there are any."""
        return connected(self.aws_conn_id, self.mlflow_conn_id, self.signing_conn_id)

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage[Any, Any]:  # noqa: ARG002
        """What it read and made, for Airflow's OpenLineage provider, which calls it where it is installed."""
        return operator_lineage(self.read, self.made)

    @property
    def does(self) -> Task | None:
        """What it does, of its kind; None for one that stands alone."""
        # A mapped one gets the variant's name only when it runs.
        of = self.variant if isinstance(self.variant, str) else EACH
        return task_of(self.step, of, self.kind) if self.kind else None
