"""What is asked of the ledger after a run: pure functions of what was registered, and of who asks."""

from __future__ import annotations

from dataclasses import dataclass

from litegate.records import ApprovalDecision, Decision, Position, PromoteRequest, Promotion, RegisteredAlias, RunResult
from litegate.records.fields import Moment
from litegate.spec import Spec

__all__ = ["Asking", "approval_request", "promote_request"]


@dataclass(frozen=True)
class Asking:
    """Who asks, for the ledger.

    Attributes:
        actor: the pipeline run, and who started it.
        run_key: names the run, however often it is tried.
        order: the moment for which it was due.
        compared_with: the champion's version that the verdicts compare with, 0 for none; None if they compare with
            none.
    """

    actor: str
    run_key: str
    order: Moment
    compared_with: int | None


def promote_request(spec: Spec, result: RunResult, position: Position, asking: Asking) -> PromoteRequest:
    """The promotion of what a run selected.

    Args:
        result: of a run that has selected a version.
        position: how far the ledger was when the run began.
    """
    assert result.selected is not None, "there is something to promote"
    return PromoteRequest(
        channel=RegisteredAlias.of(spec.registry),
        selected=result.selected,
        begun=position.entries,
        order=asking.order,
        actor=asking.actor,
        run_key=asking.run_key,
        mlflow_run_id=result.mlflow_run_id,
        verdict=_sentence(result, result.selected.variant),
        approval="none" if spec.approval is None else "human",
        compared_with=asking.compared_with,
    )


def approval_request(
    spec: Spec, result: RunResult, promotion: Promotion, approval: ApprovalDecision, asking: Asking
) -> Decision:
    """A person's decision about the version that waits for one; the person is the ledger's actor, not who asked."""
    variant = promotion.selected.variant
    return Decision(
        channel=RegisteredAlias.of(spec.registry),
        action=approval.action,
        # A second decision of a person has another time, a retry has the same one.
        key=f"{asking.run_key} version {approval.version} {approval.action} {approval.time}",
        actor=approval.actor,
        why=approval.note or "without a note",
        version=approval.version,
        variant=variant,
        expected=asking.compared_with if approval.action == "accepted" else None,
        verdict=_sentence(result, variant)[:1000],
        run_key=asking.run_key,
        mlflow_run_id=result.mlflow_run_id,
    )


def _sentence(result: RunResult, variant: str) -> str:
    return next(row.sentence for row in result.variants if row.variant == variant)
