"""Promote: what the run selected becomes champion, or waits for a person."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException
from typing_extensions import override

from litegate.errors import GateRejected
from litegate.pipeline.promotion import promote_request
from litegate.presentation.run_notes import of_promotion, of_rejection
from litegate.records import PromoteRequest, Promotion
from litegate.variants import BASELINE
from litegate_airflow.operators.step import StepOperator
from litegate_airflow.runtime.failing import REJECTS
from litegate_airflow.runtime.lineage import version
from litegate_airflow.runtime.metrics import count_promotion
from litegate_airflow.runtime.run_records import RunRecords
from litegate_airflow.runtime.xcom import say

if TYPE_CHECKING:
    from airflow.sdk.types import RuntimeTaskInstanceProtocol

__all__ = ["PromoteOperator"]

log = logging.getLogger("litegate")


class PromoteOperator(StepOperator):
    """Returns a `Promotion`; where nothing passed the gate it fails or skips, as the spec's `on_reject` says.

    An override run, which is a run by other values than the spec's, is skipped: only the spec as it is promotes.
    """

    step = "promote"

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**{**REJECTS, **arguments})

    @override
    def request(self, records: RunRecords) -> PromoteRequest:
        result, resolved = records.run_result(), records.resolved()
        spec = resolved.spec
        if resolved.overrides is not None:
            tried = ", ".join(f"{row.variant} {row.verdict}" for row in result.variants if row.variant != BASELINE)
            raise _skipped(records.ti, f"an override run ({resolved.overrides}): {tried}")
        if result.selected is None:
            why = of_rejection(result)
            raise _skipped(records.ti, why) if spec.gate.on_reject == "skip" else GateRejected(why)
        self.read = (version(spec.registry.name, result.selected.version),)
        return promote_request(spec, result, records.position(), records.asking())

    @override
    def said(self, result: Promotion, records: RunRecords) -> str:
        count_promotion(result, records.resolved().spec.model.name)
        champion = result.champion
        self.made = (version(str(records.channel()), champion.version),) if champion and result.moved else ()
        return of_promotion(records.run_result(), result)


def _skipped(ti: RuntimeTaskInstanceProtocol, why: str) -> AirflowSkipException:
    """Says why, too: Airflow folds away the part of the log where it puts an exception's words."""
    log.warning("skipped: %s", why)
    say(ti, why)
    return AirflowSkipException(why)
