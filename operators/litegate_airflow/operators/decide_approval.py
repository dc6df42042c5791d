"""Decide: record a person's decision about what passed, and promote what they accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException
from typing_extensions import override

from litegate.errors import BadInput, GateRejected
from litegate.pipeline.promotion import approval_request
from litegate.presentation.run_notes import of_decision
from litegate.records import ApprovalDecision, Decided, Decision, Record
from litegate_airflow.operators.step import StepOperator
from litegate_airflow.runtime.failing import REJECTS
from litegate_airflow.runtime.run_records import RunRecords
from litegate_airflow.runtime.xcom import DECIDED, push, say

if TYPE_CHECKING:
    from airflow.sdk import Context

__all__ = ["DecideApprovalOperator"]


class DecideApprovalOperator(StepOperator):
    """Returns `Decided`; where the version was rejected it fails or skips, as the spec's `gate.on_reject` says."""

    step = "decide"
    _approval: ApprovalDecision

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**{**REJECTS, **arguments})

    @override
    def request(self, records: RunRecords) -> Decision:
        self._approval = records.approval_decision()
        spec, asking = records.resolved().spec, records.asking()
        return approval_request(spec, records.run_result(), records.promotion(), self._approval, asking)

    @override
    def run_step(self, step: str, request: Record, label: str = "") -> Any:
        """Take the decision; a time-out after somebody else has decided has nothing to decide any more."""
        try:
            return super().run_step(step, request, label)
        except BadInput as error:
            if self._approval.timed_out:
                raise AirflowSkipException(f"decided otherwise in the meantime: {error}") from None
            raise

    @override
    def deliver(self, result: Decided, context: Context) -> dict[str, Any]:
        push(context["ti"], DECIDED, result)
        decision = result.entry.decision
        say(context["ti"], of_decision(result))
        if decision.action == "accepted":
            return result.to_json()
        skips = RunRecords(context["ti"]).resolved().spec.gate.on_reject == "skip"
        rejected = AirflowSkipException if skips else GateRejected
        raise rejected(f"version {decision.version} was rejected by {decision.actor}: {decision.why}")
