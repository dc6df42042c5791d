"""Approve: ask a person whether what passed the gate may be promoted, and wait for the decision."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Param
from airflow.sdk.exceptions import AirflowSkipException
from airflow.sdk.execution_time.context import NEVER_EXPIRE
from typing_extensions import override

from litegate.digest import digest_json
from litegate.errors import StepFailed
from litegate.failures import FailureKind
from litegate.pipeline import tasks
from litegate.presentation.question import question
from litegate.records import ApprovalDecision
from litegate.spec import Approval
from litegate_airflow.operators.wired import WiredOperator
from litegate_airflow.runtime.failing import failures_reported
from litegate_airflow.runtime.run_records import RunRecords
from litegate_airflow.ui.pages import mlflow_page, run_url

if TYPE_CHECKING:
    from airflow.sdk import Context

__all__ = ["ApproveOperator"]

APPROVE, REJECT = "Approve", "Reject"
ASKED = "question"
NOTE = "note"


class ApproveOperator(WiredOperator, HITLOperator):
    """Parks the task until somebody decides; returns an `ApprovalDecision`, and is skipped where nothing is pending.

    A rejection is a decision as good as an approval: the task succeeds, and the next one records it.
    """

    does = tasks.APPROVE

    def __init__(self, *, approval: Approval, **arguments: Any) -> None:
        note = Param("", type="string", maxLength=900, title="Note for the ledger")
        super().__init__(
            subject="May the version that passed be promoted?",
            options=[APPROVE, REJECT],
            defaults={"promote": APPROVE, "reject": REJECT, "fail": None}[approval.on_timeout],
            assigned_users=[{"id": user, "name": user} for user in approval.users],
            response_timeout=timedelta(hours=approval.timeout_hours),
            **arguments | {"params": {NOTE: note}},  # in place of the DAG's, which every task is given
        )
        self.approval = approval

    @override
    def execute(self, context: Context) -> None:
        """Ask, if the approval of the version is pending."""
        with failures_reported(context["ti"], self.does.id), self.connected():
            records = RunRecords(context["ti"])
            promotion, result = records.promotion(), records.run_result()
            if promotion.state != "pending_approval":
                why = promotion.why or "it was accepted before"
                raise AirflowSkipException(f"nobody is asked about version {promotion.selected.version}: {why}")
            pages = {"Report": result.report, "MLflow": mlflow_page(result), "Airflow": run_url(context["ti"])}
            self.subject, self.body = question(records.channel(), result, promotion, pages)
            self._keep_what_is_asked(context, promotion.selected.version)
            super().execute(context)

    @override
    def execute_complete(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:
        """What the person decided, or what the spec says for a time-out."""
        with failures_reported(context["ti"], self.does.id):
            if event.get("error_type") == "timeout":
                detail = f"{self._silence}; the approval is still pending: clear this task to ask again"
                raise StepFailed(self.does.id, FailureKind.TIMEOUT, detail)
            answered = super().execute_complete(context, event)
            asked: Any = context["task_state_store"].get(ASKED)
            decision = self._decision(answered, asked["version"])
        self.log.info("version %s: %s by %s", decision.version, decision.action, decision.actor)
        return decision.to_json()

    @property
    def _silence(self) -> str:
        return f"nobody answered within {self.approval.timeout_hours:g} hours"

    def _decision(self, answered: Any, version: int) -> ApprovalDecision:
        person = answered["responded_by_user"]
        note = self._silence if person is None else str((answered["params_input"] or {}).get(NOTE) or "")
        return ApprovalDecision(
            version=version,
            action="accepted" if answered["chosen_options"] == [APPROVE] else "rejected",
            actor="the time-out" if person is None else _name(person),
            note=note,
            time=answered["responded_at"].isoformat(),
            timed_out=person is None,
        )

    def _keep_what_is_asked(self, context: Context, version: int) -> None:
        """Airflow shows the question of a task's first try for ever: a person must not be asked another one."""
        asked: Any = {"version": version, "digest": digest_json([self.subject, self.body])}
        store = context["task_state_store"]
        if store.get(ASKED) not in (None, asked):
            detail = "the results have changed since this run asked, and Airflow would show the old ones"
            raise StepFailed(self.does.id, FailureKind.OUTDATED, f"{detail}: start a new run")
        store.set(ASKED, asked, retention=NEVER_EXPIRE)


def _name(person: dict[str, str]) -> str:
    """The person's name; their id beside it where it is another one."""
    name, identity = person["name"] or person["id"], person["id"]
    return name if name == identity else f"{name} ({identity})"
