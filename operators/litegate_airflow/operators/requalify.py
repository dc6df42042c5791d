"""Requalify: the champion and its baseline on fresh data, recorded, and what follows. One operator for each task."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException
from typing_extensions import override

from litegate.errors import StepFailed
from litegate.failures import FailureKind
from litegate.pipeline.evaluation import evaluated_alone
from litegate.pipeline.requalification import (
    act_request,
    champion_request,
    drift_request,
    fresh_evaluation_request,
    fresh_gate_request,
    record_request,
)
from litegate.pipeline.tasks import REQUALIFICATION
from litegate.presentation.run_notes import of_action
from litegate.records import (
    Acted,
    ActRequest,
    ChampionRequest,
    DriftRequest,
    EvaluateFilesRequest,
    Evaluations,
    FoundChampion,
    GateRequest,
    RequalifyRequest,
    SnapshotRequest,
)
from litegate_airflow.operators.step import StepOperator, VariantOperator
from litegate_airflow.runtime.dag_run import actor
from litegate_airflow.runtime.failing import failures_reported
from litegate_airflow.runtime.requalification_records import CONCLUSION, RequalificationRecords
from litegate_airflow.runtime.run_records import RunRecords
from litegate_airflow.runtime.spec_files import SpecLike, SpecSource
from litegate_airflow.runtime.xcom import push, say
from litegate_airflow.ui.pages import run_url

if TYPE_CHECKING:
    from airflow.sdk import Context

__all__ = [
    "CONCLUSION",
    "ActOperator",
    "DriftOperator",
    "FetchChampionEvidenceOperator",
    "RecordOperator",
    "RequalifyEvaluateOperator",
    "RequalifyGateOperator",
    "SnapshotOperator",
]


class SnapshotOperator(StepOperator):
    """Reads the spec as it is when the task runs and returns a `Snapshot`: the fresh data as they are now."""

    kind = REQUALIFICATION
    step = "snapshot"

    def __init__(self, *, spec: SpecLike, folder: str | Path | None = None, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.source = SpecSource.of(spec, folder)

    @override
    def request(self, records: RunRecords) -> SnapshotRequest:
        return SnapshotRequest(spec=self.source.read(), folder=str(self.source.parent))


class FetchChampionEvidenceOperator(StepOperator):
    """Returns a `FoundChampion`; where nothing was promoted yet it is skipped, with all that follows."""

    kind = REQUALIFICATION
    step = "fetch_champion_evidence"

    @override
    def request(self, records: RunRecords) -> ChampionRequest:
        return champion_request(RequalificationRecords(records.ti).snapshot().spec.registry)

    @override
    def deliver(self, result: FoundChampion, context: Context) -> Any:
        if result.champion is None:
            registry = RequalificationRecords(context["ti"]).snapshot().spec.registry
            message = f"no version of {registry.name} is {registry.alias} yet: there is nothing to requalify"
            raise AirflowSkipException(message)
        return result.to_json()


class RequalifyEvaluateOperator(VariantOperator):
    """Returns an `Evaluated` of the baseline or of the champion; both see the same samples."""

    kind = REQUALIFICATION
    step = "evaluate"

    @override
    def request(self, records: RunRecords) -> EvaluateFilesRequest:
        found = RequalificationRecords(records.ti)
        return fresh_evaluation_request(found.snapshot(), found.evidence(), self.variant)

    @override
    def deliver(self, result: Evaluations, context: Context) -> Any:
        return evaluated_alone(result).to_json()


class DriftOperator(StepOperator):
    """Returns a `Drift`."""

    kind = REQUALIFICATION
    step = "drift"

    @override
    def request(self, records: RunRecords) -> DriftRequest:
        found = RequalificationRecords(records.ti)
        return drift_request(found.snapshot(), found.evidence(), found.evaluated())


class RequalifyGateOperator(StepOperator):
    """Returns `Verdicts` on the baseline and the champion, by the limits of the spec's section."""

    kind = REQUALIFICATION
    step = "gate"

    @override
    def request(self, records: RunRecords) -> GateRequest:
        found = RequalificationRecords(records.ti)
        return fresh_gate_request(found.snapshot(), *found.pair())


class RecordOperator(StepOperator):
    """Returns a `Requalification`; the run's key makes a second try record nothing twice."""

    kind = REQUALIFICATION
    step = "requalify"

    @override
    def request(self, records: RunRecords) -> RequalifyRequest:
        found = RequalificationRecords(records.ti)
        return record_request(
            found.snapshot(),
            (found.evidence(), found.evaluated()),
            (found.verdict(), found.drift()),
            run_key=records.run_key(),
            links={"airflow": run_url(records.ti)},
        )


class ActOperator(StepOperator):
    """Returns an `Acted`, which is also under the XCom key `acted`; fails where somebody is to look.

    Whoever is to be told of it reads that key in the task's callbacks.
    """

    kind = REQUALIFICATION
    step = "act"

    @override
    def request(self, records: RunRecords) -> ActRequest:
        found = RequalificationRecords(records.ti)
        return act_request(found.snapshot().spec, found.requalification(), actor(records.ti), records.run_key())

    @override
    def execute(self, context: Context) -> Any:
        ti = context["ti"]
        with failures_reported(ti, self.step), self.connected():
            acted: Acted = self.run_step(self.step, self.request(RunRecords(ti)))
            push(ti, CONCLUSION, acted)
            say(ti, of_action(acted))
            if acted.action == "alerted":
                raise StepFailed("requalify", FailureKind.ALERT, acted.why)
            return self.deliver(acted, context)
